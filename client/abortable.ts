/**
 * A promise that an `AbortSignal` can end: `begin` starts something and gives what stops it. Rejects with the
 * signal's reason, as `fetch` does.
 */
export async function abortable<T>(
  signal: AbortSignal | undefined,
  begin: (resolve: (value: T) => void, reject: (error: unknown) => void) => (() => void) | undefined,
): Promise<T> {
  signal?.throwIfAborted();
  let abort: () => void = () => {};
  try {
    return await new Promise<T>((resolve, reject) => {
      const stop = begin(resolve, reject);
      abort = () => {
        reject(signal?.reason);
        stop?.();
      };
      signal?.addEventListener('abort', abort);
    });
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}

/** Waits for `promise`, but no longer than until the signal. */
export function orAbort<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  return abortable<T>(signal, (resolve, reject) => {
    promise.then(resolve, reject);
    return undefined;
  });
}

/** Waits for `ms`. */
export function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return abortable<void>(signal, (resolve) => {
    const timer = setTimeout(resolve, ms);
    return () => clearTimeout(timer);
  });
}

/** Waits until the browser has a network again, or for `maxMs`. */
export function untilOnline(maxMs: number, signal: AbortSignal | undefined): Promise<void> {
  return abortable<void>(signal, (resolve) => {
    const stop = () => {
      removeEventListener('online', done);
      clearTimeout(timer);
    };
    const done = () => {
      stop();
      resolve();
    };
    const timer = setTimeout(done, maxMs);
    addEventListener('online', done);
    return stop;
  });
}
