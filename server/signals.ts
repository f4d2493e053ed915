import process from 'node:process';

const STOP_SIGNALS = ['SIGTERM', 'SIGINT'] as const;

/** The signals that ask the process to stop. */
export interface StopSignals extends Disposable {
  /** Resolves to the name of the first one. */
  readonly stop: Promise<string>;
  /** Aborted by the second one: stop at once. */
  readonly hurry: AbortSignal;
}

/** Options of {@link listenForSignals}. */
export interface SignalOptions {
  /** Whether the process runs on a terminal: SIGHUP then means that the terminal was closed, and stops it. */
  readonly isOnTerminal: boolean;
  /** Called at SIGHUP elsewhere, where it asks to read files again. */
  onReload(): void;
  /** Called at SIGUSR1. Node's own handler would open the inspector to everyone on the machine. */
  onInspect(): void;
}

/** Replaces the default handling of signals until disposed. */
export function listenForSignals({ isOnTerminal, onReload, onInspect }: SignalOptions): StopSignals {
  const stop = Promise.withResolvers<string>();
  const hurry = new AbortController();
  let isStopping = false;
  const onStop = (signal: string): void => {
    if (isStopping) hurry.abort();
    isStopping = true;
    stop.resolve(signal);
  };
  const onHangup = isOnTerminal ? onStop : onReload;
  for (const signal of STOP_SIGNALS) process.on(signal, onStop);
  process.on('SIGHUP', onHangup);
  process.on('SIGUSR1', onInspect);
  return {
    stop: stop.promise,
    hurry: hurry.signal,
    [Symbol.dispose]() {
      for (const signal of STOP_SIGNALS) process.off(signal, onStop);
      process.off('SIGHUP', onHangup);
      process.off('SIGUSR1', onInspect);
    },
  };
}
