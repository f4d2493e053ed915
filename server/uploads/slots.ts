import { appError } from '../errors/app-error.ts';

/** Bounds of how many uploads run at once. */
export interface SlotLimits {
  readonly max: number;
  readonly maxPerCaller: number;
}

/** Places for uploads that run at once. */
export interface Slots {
  /** How many are taken. */
  readonly taken: number;
  /**
   * Takes a place; call what it returns, once or more, to give it back.
   *
   * @throws AppError `TOO_MANY_UPLOADS` when the caller has all of its own, `BUSY` when none is left.
   */
  take(caller: string): () => void;
}

/** A second is about what a small upload takes. */
const RETRY_AFTER_MS = 1_000;

/** Makes places for uploads, all of them free. */
export function createSlots({ max, maxPerCaller }: SlotLimits): Slots {
  const byCaller = new Map<string, number>();
  let taken = 0;
  return {
    get taken() {
      return taken;
    },
    take(caller) {
      const own = byCaller.get(caller) ?? 0;
      // First what holds for everybody: with few places in all, one caller may have every one of them.
      if (taken >= max) throw appError('BUSY', { retryAfterMs: RETRY_AFTER_MS });
      if (own >= maxPerCaller) throw appError('TOO_MANY_UPLOADS', { retryAfterMs: RETRY_AFTER_MS });
      taken += 1;
      byCaller.set(caller, own + 1);
      let isTaken = true;
      return () => {
        if (!isTaken) return;
        isTaken = false;
        taken -= 1;
        const left = (byCaller.get(caller) ?? 1) - 1;
        if (left === 0) byCaller.delete(caller);
        else byCaller.set(caller, left);
      };
    },
  };
}
