/**
 * A promise that an `AbortSignal` can reject. `begin` starts the work and returns a function that stops it, which
 * is called once the promise has settled. Rejects with the signal's reason, as `fetch` does.
 */
export async function abortable<T>(
  signal: AbortSignal | undefined,
  begin: (resolve: (value: T) => void, reject: (error: unknown) => void) => (() => void) | undefined,
): Promise<T> {
  signal?.throwIfAborted();
  let end: (() => void) | undefined;
  try {
    return await new Promise<T>((resolve, reject) => {
      const abort = () => reject(signal?.reason);
      signal?.addEventListener('abort', abort);
      const stop = begin(resolve, reject);
      end = () => {
        signal?.removeEventListener('abort', abort);
        stop?.();
      };
    });
  } finally {
    end?.();
  }
}

/** Waits for `promise`, but no longer than until the signal aborts. */
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
export function waitForOnline(maxMs: number, signal: AbortSignal | undefined): Promise<void> {
  return abortable<void>(signal, (resolve) => {
    const online = () => resolve();
    const timer = setTimeout(online, maxMs);
    addEventListener('online', online);
    return () => {
      clearTimeout(timer);
      removeEventListener('online', online);
    };
  });
}
