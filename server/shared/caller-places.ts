import { randomUUID } from 'node:crypto';
import type { Logger } from '../logger.ts';
import { defineScript } from './script.ts';
import type { SharedStore } from './shared-store.ts';

/** Counts how many uploads each caller has under way in all replicas. */
export interface CallerPlaces extends Disposable {
  /** Takes a place; null when the caller has `max` already. Call what it returns to give it back. */
  take(caller: string, max: number): Promise<(() => void) | null>;
}

/** A replica that dies gives nothing back: its places end by themselves. */
const LEASE_MS = 60_000;
const RENEW_MS = 20_000;

const TAKE = defineScript(`
local at, max, lease = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', at)
if redis.call('ZCARD', KEYS[1]) >= max then return 0 end
redis.call('ZADD', KEYS[1], at + lease, ARGV[4])
redis.call('PEXPIRE', KEYS[1], lease)
return 1
`);

const RENEW = defineScript(`
redis.call('ZADD', KEYS[1], 'XX', tonumber(ARGV[1]) + tonumber(ARGV[2]), ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
`);

/** Places that are counted in Redis. Rejects when Redis is away. */
export function createCallerPlaces(
  store: SharedStore,
  logger: Logger,
  now: () => number = Date.now,
): CallerPlaces {
  const held = new Map<string, string>();
  const quietly = (work: Promise<unknown>): void => {
    work.catch((err: unknown) => logger.debug({ err }, 'a place could not be updated in Redis'));
  };
  const timer = setInterval(() => {
    for (const [id, key] of held) quietly(RENEW(store, [key], [now(), LEASE_MS, id]));
  }, RENEW_MS);
  timer.unref();
  return {
    async take(caller, max) {
      const key = `leadway-bff:uploads:${caller}`;
      const id = randomUUID();
      if (Number(await TAKE(store, [key], [now(), max, LEASE_MS, id])) === 0) return null;
      held.set(id, key);
      return () => {
        if (held.delete(id)) quietly(store.send('ZREM', key, id));
      };
    },
    [Symbol.dispose]: () => clearInterval(timer),
  };
}
