/** Waits for `promise`; rejects in words that `what` did not happen, where a test would end by its timeout alone. */
export async function within<T>(promise: Promise<T>, what: string, ms = 20_000): Promise<T> {
  const { promise: tooLate, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`not so after ${ms} ms: ${what}`)), ms);
  try {
    return await Promise.race([promise, tooLate]);
  } finally {
    clearTimeout(timer);
  }
}
