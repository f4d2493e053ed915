import process from 'node:process';

const STOP_SIGNALS = ['SIGTERM', 'SIGINT'] as const;

/** The signals that ask the process to stop, one after the other. */
export interface StopSignals extends Disposable {
  /** Resolves to the name of the next signal. */
  next(): Promise<string>;
}

/** What {@link listenForSignals} takes. */
export interface SignalOptions {
  /** Whether the process runs on a terminal: SIGHUP then says that the terminal was closed, and stops it. */
  readonly isOnTerminal: boolean;
  /** Called at SIGHUP elsewhere, where it asks to read files again. */
  onReload(): void;
  /** Called at SIGUSR1, in the place of Node's own handler, which opens the inspector to everybody on the machine. */
  onInspect(): void;
}

/** Takes the signals from their default handling until disposed. */
export function listenForSignals({ isOnTerminal, onReload, onInspect }: SignalOptions): StopSignals {
  let waiting = Promise.withResolvers<string>();
  const onStop = (signal: string): void => {
    waiting.resolve(signal);
    waiting = Promise.withResolvers<string>();
  };
  const onHangup = isOnTerminal ? onStop : onReload;
  for (const signal of STOP_SIGNALS) process.on(signal, onStop);
  process.on('SIGHUP', onHangup);
  process.on('SIGUSR1', onInspect);
  return {
    next: () => waiting.promise,
    [Symbol.dispose]() {
      for (const signal of STOP_SIGNALS) process.off(signal, onStop);
      process.off('SIGHUP', onHangup);
      process.off('SIGUSR1', onInspect);
    },
  };
}
