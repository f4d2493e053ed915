import { appError } from '../errors/app-error.ts';
import type { CallerPlaces } from '../shared/caller-places.ts';

/** Bounds of how many uploads run at once. */
export interface SlotLimits {
  /** In this process. */
  readonly max: number;
  /** In all replicas that share a store; in this process where there is none. */
  readonly maxPerCaller: number;
}

/** Places for uploads that run at once. */
export interface Slots {
  /** How many are taken in this process. */
  readonly taken: number;
  /**
   * Takes a place; call what it resolves to, once or more, to give it back.
   *
   * @throws AppError `TOO_MANY_UPLOADS` when the caller has all of its own, `BUSY` when none is left.
   */
  take(caller: string): Promise<() => void>;
}

/** A second is about what a small upload takes. */
const RETRY_AFTER_MS = 1_000;

/**
 * Makes places for uploads, all of them free.
 *
 * @param shared Counts a caller's places in all replicas. While it is away, each process counts for itself.
 */
export function createSlots({ max, maxPerCaller }: SlotLimits, shared: CallerPlaces | null): Slots {
  const byCaller = new Map<string, number>();
  let taken = 0;

  const takeLocal = (caller: string): (() => void) => {
    const own = byCaller.get(caller) ?? 0;
    // First what holds for everybody: with few places in all, one caller may have every one of them.
    if (taken >= max) throw appError('BUSY', { retryAfterMs: RETRY_AFTER_MS });
    if (own >= maxPerCaller) throw tooManyUploads();
    taken += 1;
    byCaller.set(caller, own + 1);
    return once(() => {
      taken -= 1;
      const left = (byCaller.get(caller) ?? 1) - 1;
      if (left === 0) byCaller.delete(caller);
      else byCaller.set(caller, left);
    });
  };

  return {
    get taken() {
      return taken;
    },
    async take(caller) {
      const releaseLocal = takeLocal(caller);
      const releaseShared = shared === null ? () => {} : await shared.take(caller, maxPerCaller);
      if (releaseShared !== null) {
        return once(() => {
          releaseLocal();
          releaseShared();
        });
      }
      releaseLocal();
      throw tooManyUploads();
    },
  };
}

function once(release: () => void): () => void {
  let isTaken = true;
  return () => {
    if (isTaken) release();
    isTaken = false;
  };
}

function tooManyUploads() {
  return appError('TOO_MANY_UPLOADS', { retryAfterMs: RETRY_AFTER_MS });
}
