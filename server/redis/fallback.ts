import type { SharedStore } from './store.ts';

/**
 * Resolves to the result of `shared` or, while Redis is away, of `local`: a limit that each replica enforces for itself is
 * better than none.
 */
export async function sharedOrLocal<T>(
  store: SharedStore,
  shared: () => Promise<T>,
  local: () => T | Promise<T>,
  onError: (error: unknown) => void = () => {},
): Promise<T> {
  if (!store.isUp) return local();
  try {
    return await shared();
  } catch (error) {
    onError(error);
    return local();
  }
}
