import { randomUUID } from 'node:crypto';
import { defineScript } from './script.ts';
import type { SharedStore } from './shared-store.ts';

/** Counts events in the last so many milliseconds. */
export interface SlidingWindow {
  /**
   * Counts one event for `key` if fewer than `max` fell into the last `intervalMs`.
   *
   * @returns 0 when it was counted, else after how many milliseconds there is room.
   */
  take(key: string, max: number, intervalMs: number): Promise<number>;
}

/** Counts in this process. */
export function createLocalWindow(now: () => number): SlidingWindow {
  const events = new Map<string, number[]>();
  return {
    async take(key, max, intervalMs) {
      const at = now();
      const recent = (events.get(key) ?? []).filter((time) => time > at - intervalMs);
      events.set(key, recent);
      const [oldest] = recent;
      if (recent.length >= max && oldest !== undefined) return oldest + intervalMs - at;
      recent.push(at);
      return 0;
    },
  };
}

const TAKE = defineScript(`
local at, interval, max = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', at - interval)
if redis.call('ZCARD', KEYS[1]) >= max then
  local oldest = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
  return math.max(1, tonumber(oldest[2]) + interval - at)
end
redis.call('ZADD', KEYS[1], at, ARGV[4])
redis.call('PEXPIRE', KEYS[1], interval)
return 0
`);

/** Counts in Redis, for all replicas together; their clocks should agree to some milliseconds. */
export function createSharedWindow(store: SharedStore, now: () => number): SlidingWindow {
  return {
    async take(key, max, intervalMs) {
      return Number(await TAKE(store, [`leadway-bff:${key}`], [now(), intervalMs, max, randomUUID()]));
    },
  };
}
