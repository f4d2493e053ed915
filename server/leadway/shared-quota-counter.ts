import { defineScript, KEY_PREFIX, toKeyPart } from '../redis/script.ts';
import type { SharedStore } from '../redis/store.ts';
import {
  DAILY_PROBE_MS,
  MAX_UNINFORMED,
  type QuotaCounter,
  toWindowMs,
  UNINFORMED,
  UNKNOWN_WINDOW_MS,
} from './quota-counter.ts';

/** Unused entries are forgotten after this time. */
const FORGET_MS = 60 * 60_000;

// Both scripts do what the counter of one process does; quota-counter.ts has the reasons.
const TAKE = defineScript(`
local id, kind = ARGV[1], ARGV[2]
local account = redis.call('HMGET', KEYS[1], 'max', 'window', 'blocked', 'day', 'foreign', 'foreignUntil', 'reported')
local max, window = tonumber(account[1]), tonumber(account[2]) or ${UNKNOWN_WINDOW_MS}
local blocked, foreignUntil = tonumber(account[3]) or 0, tonumber(account[6]) or 0
if kind ~= 'retry' and blocked > now then return blocked - now end
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now - window)
local used = redis.call('ZCARD', KEYS[2])
if not max then
  if not account[7] and kind == 'normal' and used >= ${MAX_UNINFORMED} then return ${UNINFORMED} end
else
  local isShared = foreignUntil > now and kind ~= 'retry'
  local room = max
  if isShared then room = max - tonumber(account[5]) end
  if used >= room then
    local wait = window
    local index = used - math.max(room, 1)
    local nextCall = index >= 0 and redis.call('ZRANGE', KEYS[2], index, index, 'WITHSCORES') or {}
    if nextCall[2] then wait = tonumber(nextCall[2]) + window - now end
    if isShared then wait = math.min(wait, foreignUntil - now) end
    return math.max(1, wait)
  end
  if account[4] == '1' then redis.call('HSET', KEYS[1], 'blocked', now + ${DAILY_PROBE_MS}) end
end
redis.call('ZADD', KEYS[2], now, id)
redis.call('PEXPIRE', KEYS[2], ${FORGET_MS})
return 0
`);

const LEARN = defineScript(`
local max, interval, window = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local remaining, block, day, isRetry = tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[6], ARGV[7] == '1'
local blocked = tonumber(redis.call('HGET', KEYS[1], 'blocked')) or 0
if max then
  redis.call('HSET', KEYS[1], 'max', max, 'window', window)
  if remaining then
    redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now - window)
    local foreign = math.max(0, max - remaining - redis.call('ZCARD', KEYS[2]))
    redis.call('HSET', KEYS[1], 'foreign', foreign, 'foreignUntil', foreign > 0 and now + interval or 0)
  end
end
if isRetry and block == 0 then blocked = 0 end
if day == '0' and redis.call('HGET', KEYS[1], 'day') == '1' then blocked = 0 end
if day ~= '' then redis.call('HSET', KEYS[1], 'day', day) end
if block > 0 then blocked = math.max(blocked, now + block) end
redis.call('HSET', KEYS[1], 'reported', 1, 'blocked', blocked)
redis.call('PEXPIRE', KEYS[1], ${FORGET_MS})
return 1
`);

/** Counts in Redis, for all replicas together. `take` rejects when Redis is away. */
export function createSharedCounter(store: SharedStore, onError: (err: unknown) => void): QuotaCounter {
  /** The braces keep both keys on one node of a cluster. */
  const keysOf = (locationId: string): [account: string, calls: string] => {
    const base = `${KEY_PREFIX}budget:{${toKeyPart(locationId)}}`;
    return [`${base}:account`, `${base}:calls`];
  };
  return {
    take: async (locationId, callId, kind) => Number(await TAKE(store, keysOf(locationId), [callId, kind])),
    giveBack(locationId, callId) {
      store.send('ZREM', keysOf(locationId)[1], callId).catch(onError);
    },
    update(locationId, { max, intervalMs, remaining, blockMs, isDayUsedUp, isRetry }) {
      const day = isDayUsedUp === null ? '' : Number(isDayUsedUp);
      LEARN(store, keysOf(locationId), [
        max ?? '',
        intervalMs,
        toWindowMs(intervalMs),
        remaining ?? '',
        blockMs,
        day,
        Number(isRetry),
      ]).catch(onError);
    },
  };
}
