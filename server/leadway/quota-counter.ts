import { defineScript, KEY_PREFIX, toKeyPart } from '../redis/script.ts';
import type { SharedStore } from '../redis/store.ts';

/** What Leadway's response says about a location's limits. */
export interface ReportedLimits {
  /** Calls per interval; null when the response did not say. */
  readonly max: number | null;
  readonly intervalMs: number;
  /** How many of them are left; null when the response did not say. */
  readonly remaining: number | null;
  /** For how long nothing may be sent. */
  readonly blockMs: number;
  /** Whether the day's calls are used up; null when the response did not say. */
  readonly isDayUsedUp: boolean | null;
  /** The call passed a block, so its response shows whether the block has ended. */
  readonly isRetry: boolean;
}

/**
 * How a call is counted: `normal` waits as needed; `uninformed` goes out before the limits are known; `retry` ignores a
 * block.
 */
export type CallKind = 'normal' | 'uninformed' | 'retry';

/** Means: wait until the limits are known. */
export const UNINFORMED = -1;

/** Counts the calls to Leadway for each location. */
export interface QuotaCounter {
  /** 0 when the call was counted, {@link UNINFORMED}, or the milliseconds until there may be room. */
  take(locationId: string, callId: string, kind: CallKind): Promise<number>;
  /** Takes back a call that was counted and not made. */
  giveBack(locationId: string, callId: string): void;
  update(locationId: string, reported: ReportedLimits): void;
}

/** How many calls go out before a response has named the limits; further ones wait for it. */
const MAX_UNINFORMED = 10;
/** Leadway does not say when the day ends; one call a minute finds out. */
export const DAILY_PROBE_MS = 60_000;
/** How long a call is remembered while the interval is not known. */
const UNKNOWN_WINDOW_MS = 60_000;

/**
 * Over what time calls are counted. They arrive later than they are counted, some more than others, so the
 * window is a little longer than Leadway's.
 */
function toWindowMs(intervalMs: number): number {
  return Math.ceil(intervalMs * 1.05);
}

interface Account {
  /** Whether any response has come. */
  isInformed: boolean;
  max: number | null;
  windowMs: number;
  blockedUntil: number;
  isDayUsedUp: boolean;
  /** Calls that Leadway has counted and we have not: of other programs, or from before this one started. */
  foreign: number;
  foreignUntil: number;
  /** The calls in the window, oldest first. */
  calls: { readonly id: string; readonly at: number }[];
}

/** A counter of this process. */
export interface LocalQuotaCounter extends QuotaCounter {
  /** Counts a call that needs no wait and is never given back. Returns whether it was counted. */
  takeNow(locationId: string): boolean;
  /** Counts a call that was allowed elsewhere. */
  note(locationId: string, callId: string): void;
}

/** Counts in this process. */
export function createLocalCounter(now: () => number): LocalQuotaCounter {
  const accounts = new Map<string, Account>();
  const accountOf = (locationId: string): Account => {
    const known = accounts.get(locationId);
    if (known !== undefined) {
      const since = now() - known.windowMs;
      const first = known.calls.findIndex(({ at }) => at > since);
      if (first !== 0) known.calls.splice(0, first === -1 ? known.calls.length : first);
      return known;
    }
    const account: Account = {
      isInformed: false,
      max: null,
      windowMs: UNKNOWN_WINDOW_MS,
      blockedUntil: 0,
      isDayUsedUp: false,
      foreign: 0,
      foreignUntil: 0,
      calls: [],
    };
    accounts.set(locationId, account);
    return account;
  };
  const note = (locationId: string, callId: string): void => {
    const account = accountOf(locationId);
    // Without limits there is nothing to count for.
    if (!account.isInformed || account.max !== null) account.calls.push({ id: callId, at: now() });
  };
  return {
    note,
    takeNow(locationId) {
      const isFree = waitFor(accountOf(locationId), 'normal', now()) === 0;
      if (isFree) note(locationId, '');
      return isFree;
    },
    async take(locationId, callId, kind) {
      const account = accountOf(locationId);
      const waitMs = waitFor(account, kind, now());
      if (waitMs === 0) note(locationId, callId);
      return waitMs;
    },
    giveBack(locationId, callId) {
      const account = accountOf(locationId);
      account.calls = account.calls.filter(({ id }) => id !== callId);
    },
    update(locationId, reported) {
      updateAccount(accountOf(locationId), reported, now());
    },
  };
}

function waitFor(account: Account, kind: CallKind, at: number): number {
  if (kind !== 'retry' && account.blockedUntil > at) return account.blockedUntil - at;
  const used = account.calls.length;
  if (account.max === null) {
    return !account.isInformed && kind === 'normal' && used >= MAX_UNINFORMED ? UNINFORMED : 0;
  }
  const isShared = account.foreignUntil > at && kind !== 'retry';
  const room = account.max - (isShared ? account.foreign : 0);
  if (used >= room) {
    const next = account.calls[used - Math.max(room, 1)];
    const ownMs = next === undefined ? Number.POSITIVE_INFINITY : next.at + account.windowMs - at;
    const foreignMs = isShared ? account.foreignUntil - at : Number.POSITIVE_INFINITY;
    return Math.max(1, Math.min(ownMs, foreignMs));
  }
  // Let one call a minute through, to see if the daily limit has been reset.
  if (account.isDayUsedUp) account.blockedUntil = at + DAILY_PROBE_MS;
  return 0;
}

function updateAccount(account: Account, reported: ReportedLimits, at: number): void {
  account.isInformed = true;
  if (reported.max === null && account.max === null) account.calls = [];
  if (reported.max !== null) {
    account.max = reported.max;
    account.windowMs = toWindowMs(reported.intervalMs);
    account.calls = account.calls.filter((call) => call.at > at - account.windowMs);
    if (reported.remaining !== null) {
      account.foreign = Math.max(0, reported.max - reported.remaining - account.calls.length);
      account.foreignUntil = account.foreign > 0 ? at + reported.intervalMs : 0;
    }
  }
  if (reported.isRetry && reported.blockMs === 0) account.blockedUntil = 0;
  if (reported.isDayUsedUp === false && account.isDayUsedUp) account.blockedUntil = 0;
  if (reported.isDayUsedUp !== null) account.isDayUsedUp = reported.isDayUsedUp;
  account.blockedUntil = Math.max(account.blockedUntil, reported.blockMs > 0 ? at + reported.blockMs : 0);
}

/** Unused entries are forgotten after this time. */
const FORGET_MS = 60 * 60_000;

// The Lua twins of `waitFor` and `updateAccount` above; change both.
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

const UPDATE = defineScript(`
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

/** Counts in Redis, for all replicas together. `take` rejects when Redis is down. */
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
      UPDATE(store, keysOf(locationId), [
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
