import { appError } from '../errors/app-error.ts';
import type { ClientSlots } from '../redis/client-slots.ts';

/** How many uploads may run at once. */
export interface SlotLimits {
  /** In this process. */
  readonly max: number;
  /** In all replicas that share a store; in this process if there is none. */
  readonly maxPerClient: number;
}

/** Slots for uploads that run at once. */
export interface Slots {
  /** How many are taken in this process. */
  readonly taken: number;
  /**
   * Takes a slot. Call what it resolves to, once or more, to release it.
   *
   * @throws AppError `TOO_MANY_UPLOADS` when the client has all of its slots, `BUSY` when none is left.
   */
  take(client: string): Promise<() => void>;
}

/** About what a small upload takes. */
const RETRY_AFTER_MS = 1_000;

/**
 * Makes slots for uploads.
 *
 * @param shared Counts a client's slots in all replicas. While it is away, each process counts for itself.
 */
export function createSlots({ max, maxPerClient }: SlotLimits, shared: ClientSlots | null): Slots {
  const byClient = new Map<string, number>();
  let taken = 0;

  const takeLocal = (client: string): (() => void) => {
    const own = byClient.get(client) ?? 0;
    // First the bound of all clients: with few slots, one client may have every one of them.
    if (taken >= max) throw appError('BUSY', { retryAfterMs: RETRY_AFTER_MS });
    if (own >= maxPerClient) throw tooManyUploads();
    taken += 1;
    byClient.set(client, own + 1);
    return once(() => {
      taken -= 1;
      const left = (byClient.get(client) ?? 1) - 1;
      if (left === 0) byClient.delete(client);
      else byClient.set(client, left);
    });
  };

  return {
    get taken() {
      return taken;
    },
    async take(client) {
      const releaseLocal = takeLocal(client);
      const releaseShared = shared === null ? () => {} : await shared.take(client, maxPerClient);
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
