import process from 'node:process';

const STOP_SIGNALS = ['SIGTERM', 'SIGINT'] as const;

/** The signals that ask the process to stop, one after the other. */
export interface StopSignals extends Disposable {
  /** Resolves to the name of the next signal. */
  next(): Promise<string>;
}

/** Takes the stop signals from their default handling until disposed. */
export function listenForStopSignals(): StopSignals {
  let waiting = Promise.withResolvers<string>();
  const onSignal = (signal: string): void => {
    waiting.resolve(signal);
    waiting = Promise.withResolvers<string>();
  };
  for (const signal of STOP_SIGNALS) process.on(signal, onSignal);
  return {
    next: () => waiting.promise,
    [Symbol.dispose]() {
      for (const signal of STOP_SIGNALS) process.off(signal, onSignal);
    },
  };
}
