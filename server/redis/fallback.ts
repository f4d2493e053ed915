import type { SharedStore } from './store.ts';

/**
 * What `shared` resolves to or, while Redis is away, what `local` does: a limit that each replica enforces for itself is
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
