import { randomUUID } from 'node:crypto';
import { appError } from '../errors/app-error.ts';
import type { Logger } from '../logger.ts';
import { defineScript, KEY_PREFIX, toKeyPart } from '../redis/script.ts';
import { type SharedStore, sharedOrLocal } from '../redis/store.ts';

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
 * @param shared Counts a client's slots in all replicas. While it is down, each process counts for itself.
 */
export function createSlots({ max, maxPerClient }: SlotLimits, shared: ClientSlots | null): Slots {
  const byClient = new Map<string, number>();
  let taken = 0;

  const takeLocal = (client: string): (() => void) => {
    const own = byClient.get(client) ?? 0;
    // Check the total first: with few slots, one client may hold them all.
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

/** Counts how many uploads each client has in flight in all replicas. */
export interface ClientSlots extends Disposable {
  /**
   * Takes a slot and returns a function that releases it; null if the client has `max` already. While Redis is down
   * nothing is rejected, and slots that are taken count as soon as Redis is back.
   */
  take(client: string, max: number): Promise<(() => void) | null>;
}

/** The options of {@link createClientSlots}. */
export interface ClientSlotsOptions {
  readonly store: SharedStore;
  readonly logger: Logger;
  /** The slots of a replica that dies end after this long. */
  readonly leaseMs?: number;
}

const LEASE_MS = 60_000;
/** How often a slot is renewed in the time of its lease. */
const RENEWALS = 3;

const TAKE = defineScript(`
local max, lease = tonumber(ARGV[1]), tonumber(ARGV[2])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if redis.call('ZCARD', KEYS[1]) >= max then return 0 end
redis.call('ZADD', KEYS[1], now + lease, ARGV[3])
redis.call('PEXPIRE', KEYS[1], lease)
return 1
`);

/** Adds the slot if it is missing: Redis may have come back empty, or was down when the slot was taken. */
const RENEW = defineScript(`
redis.call('ZADD', KEYS[1], now + tonumber(ARGV[1]), ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return 1
`);

/** Makes slots that are counted in Redis. */
export function createClientSlots({ store, logger, leaseMs = LEASE_MS }: ClientSlotsOptions): ClientSlots {
  /** Keys by id: the slots that are taken, and those that are released but not yet in Redis. */
  const held = new Map<string, string>();
  const released = new Map<string, { readonly key: string; tries: number }>();
  const note = (err: unknown): void => logger.debug({ err }, 'a slot could not be updated in Redis');
  const sendRelease = (id: string, key: string): void => {
    store.send('ZREM', key, id).then(() => released.delete(id), note);
  };
  const timer = setInterval(() => {
    for (const [id, slot] of released) {
      slot.tries += 1;
      if (slot.tries > RENEWALS)
        released.delete(id); // its lease has ended in Redis
      else if (store.isUp) sendRelease(id, slot.key);
    }
    if (!store.isUp) return;
    for (const [id, key] of held) RENEW(store, [key], [leaseMs, id]).catch(note);
  }, leaseMs / RENEWALS);
  timer.unref();
  return {
    async take(client, max) {
      const key = `${KEY_PREFIX}uploads:${toKeyPart(client)}`;
      const id = randomUUID();
      const takeInRedis = async (): Promise<boolean> => (await TAKE(store, [key], [max, leaseMs, id])) !== 0;
      const isTaken = await sharedOrLocal(store, takeInRedis, () => true, note);
      if (!isTaken) return null;
      held.set(id, key);
      return () => {
        if (!held.delete(id)) return;
        released.set(id, { key, tries: 0 });
        sendRelease(id, key);
      };
    },
    [Symbol.dispose]: () => clearInterval(timer),
  };
}
