import { defineScript, KEY_PREFIX, toKeyPart } from '../redis/script.ts';
import { type SharedStore, sharedOrLocal } from '../redis/store.ts';

/** What is remembered under a key that another request took. */
export type Entry =
  /** The request that took the key is in flight. */
  | { readonly state: 'running' }
  /** It was committed, and its outcome is unknown. */
  | { readonly state: 'unknown'; readonly fingerprint: string }
  /** It succeeded; `outcome` is sealed. */
  | { readonly state: 'done'; readonly fingerprint: string; readonly outcome: string };

/** Who wants the key, and for which request. */
export interface Claim {
  readonly client: string;
  /** Distinct for every client, location, endpoint and `Idempotency-Key`. */
  readonly key: string;
  /** Distinct for every request. */
  readonly owner: string;
}

/** Remembers which requests were made. A running request holds its key by a lease, which it renews. */
export interface IdempotencyStore {
  /** Takes the key, unless another request has it: resolves to null, or to what that request has come to. */
  take(claim: Claim): Promise<Entry | null>;
  renew(claim: Claim): Promise<void>;
  /**
   * Call before the commit. If no outcome follows, it is `unknown`. Resolves to false if its lease has ended and another
   * request has taken the key.
   */
  commit(claim: Claim, fingerprint: string): Promise<boolean>;
  /** Remembers the sealed outcome; null if it is unknown. */
  finish(claim: Claim, fingerprint: string, outcome: string | null): Promise<void>;
  /** Forgets the request: it has come to nothing. */
  release(claim: Claim): Promise<void>;
}

/** How long a lease lasts, in milliseconds: a process that dies renews none. */
export const LEASE_MS = 30_000;
/** How long outcomes are remembered, in milliseconds. */
const REMEMBERED_MS = 10 * 60_000;
const MAX_PER_CLIENT = 100;
const MAX_PER_PROCESS = 10_000;

/**
 * The states of an entry, here and in Redis. A request that fails before its commit is forgotten.
 *
 *     running ──commit──▶ committed ──▶ done      its outcome is known
 *        │                    └───────▶ unknown   its outcome is not: it was lost, or the lease ended
 *        └─ the lease ended: the next request takes the key
 */
type State = 'running' | 'committed' | 'done' | 'unknown';

interface LocalEntry {
  readonly client: string;
  readonly owner: string;
  state: State;
  /** Empty until the commit. */
  fingerprint: string;
  /** Sealed; empty until it is `done`. */
  outcome: string;
  /** When its lease ends, or ended. Unused once done or unknown. */
  leaseEndsAt: number;
  forgottenAt: number;
}

/** Remembers in this process. */
export function createLocalIdempotencyStore(now: () => number = Date.now): IdempotencyStore {
  /** The oldest come first. */
  const entries = new Map<string, LocalEntry>();
  const owned = ({ key, owner }: Claim): LocalEntry | null => {
    const entry = entries.get(key);
    return entry?.owner === owner ? entry : null;
  };
  const toEntry = ({ state, fingerprint, outcome, leaseEndsAt, forgottenAt }: LocalEntry): Entry | null => {
    if (forgottenAt <= now()) return null;
    if (state === 'done') return { state, fingerprint, outcome };
    if (state === 'unknown') return { state, fingerprint };
    if (leaseEndsAt > now()) return { state: 'running' };
    return state === 'committed' ? { state: 'unknown', fingerprint } : null;
  };
  const lease = () => ({ leaseEndsAt: now() + LEASE_MS, forgottenAt: now() + REMEMBERED_MS });
  const makeRoom = (client: string): void => {
    let ofClient = 0;
    for (const [key, entry] of entries) {
      if (toEntry(entry) === null) entries.delete(key);
      else if (entry.client === client) ofClient += 1;
    }
    for (const [key, entry] of entries) {
      const isRoom = ofClient < MAX_PER_CLIENT && entries.size < MAX_PER_PROCESS;
      if (isRoom) return;
      const isRunning = entry.state === 'running' || entry.state === 'committed';
      if (isRunning || (ofClient >= MAX_PER_CLIENT && entry.client !== client)) continue;
      entries.delete(key);
      if (entry.client === client) ofClient -= 1;
    }
  };
  return {
    async take({ client, key, owner }) {
      const entry = entries.get(key);
      const known = entry === undefined ? null : toEntry(entry);
      if (known !== null) return known;
      makeRoom(client);
      entries.delete(key);
      const entryOf = { client, owner, state: 'running', fingerprint: '', outcome: '' } as const;
      entries.set(key, { ...entryOf, ...lease() });
      return null;
    },
    async renew(claim) {
      const entry = owned(claim);
      if (entry !== null) Object.assign(entry, lease());
    },
    async commit(claim, fingerprint) {
      const entry = owned(claim);
      if (entry === null) return false;
      Object.assign(entry, { state: 'committed', fingerprint, ...lease() });
      return true;
    },
    async finish(claim, fingerprint, outcome) {
      const entry = owned(claim);
      const state = outcome === null ? 'unknown' : 'done';
      if (entry !== null) Object.assign(entry, { state, fingerprint, outcome: outcome ?? '', ...lease() });
    },
    async release(claim) {
      if (owned(claim) !== null) entries.delete(claim.key);
    },
  };
}

/** Keys: the entry, and the client's entries by age. */
const TAKE = defineScript(`
local owner, lease, remembered, max = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local state, leaseEnd, fingerprint, outcome = unpack(redis.call('HMGET', KEYS[1], 'state', 'leaseEnd', 'fingerprint', 'outcome'))
if state then
  local isLeased = tonumber(leaseEnd) > now
  if state == 'committed' and not isLeased then state = 'unknown' end
  if state == 'committed' then state = 'running' end
  if state ~= 'running' or isLeased then return {state, fingerprint or '', outcome or ''} end
end
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now - remembered)
if redis.call('ZCARD', KEYS[2]) >= max then
  for _, old in ipairs(redis.call('ZRANGE', KEYS[2], 0, -1)) do
    local oldState = redis.call('HGET', old, 'state')
    if oldState ~= 'running' and oldState ~= 'committed' then
      redis.call('DEL', old)
      redis.call('ZREM', KEYS[2], old)
      break
    end
  end
end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'state', 'running', 'owner', owner, 'leaseEnd', now + lease)
redis.call('PEXPIRE', KEYS[1], remembered)
redis.call('ZADD', KEYS[2], now, KEYS[1])
redis.call('PEXPIRE', KEYS[2], remembered)
return false
`);

const UPDATE = defineScript(`
local owner, lease, remembered, state, fingerprint, outcome = unpack(ARGV)
local current = redis.call('HGET', KEYS[1], 'owner')
if current and current ~= owner then return 0 end
if not current and state == '' then return 1 end
if state == 'released' then return redis.call('DEL', KEYS[1]) end
if state ~= '' then redis.call('HSET', KEYS[1], 'state', state, 'fingerprint', fingerprint, 'outcome', outcome) end
redis.call('HSET', KEYS[1], 'leaseEnd', now + tonumber(lease))
redis.call('PEXPIRE', KEYS[1], remembered)
return 1
`);

/** Remembers in Redis for all replicas and, for when it is down, in this process too. */
export function createSharedIdempotencyStore(store: SharedStore): IdempotencyStore {
  const local = createLocalIdempotencyStore();
  const keyOf = ({ client, key }: Claim): string =>
    `${KEY_PREFIX}idempotency:{${toKeyPart(client)}}:${toKeyPart(key)}`;
  /** Resolves to false if another request has the key by now; true while Redis is down. */
  const update = (claim: Claim, ...[state = '', fingerprint = '', outcome = '']: readonly string[]) => {
    const args = [claim.owner, LEASE_MS, REMEMBERED_MS, state, fingerprint, outcome];
    const updateTogether = async (): Promise<boolean> => (await UPDATE(store, [keyOf(claim)], args)) !== 0;
    return sharedOrLocal(store, updateTogether, () => true);
  };
  return {
    async take(claim) {
      const keys = [keyOf(claim), `${KEY_PREFIX}idempotency:{${toKeyPart(claim.client)}}`];
      const takeTogether = async (): Promise<Entry | null> => {
        const reply = await TAKE(store, keys, [claim.owner, LEASE_MS, REMEMBERED_MS, MAX_PER_CLIENT]);
        if (!Array.isArray(reply)) return null;
        const [state, fingerprint = '', outcome = ''] = reply.map(String);
        if (state === 'done') return { state, fingerprint, outcome };
        return state === 'unknown' ? { state, fingerprint } : { state: 'running' };
      };
      const here = await local.take(claim);
      if (here !== null) return here;
      const entry = await sharedOrLocal(store, takeTogether, () => null);
      if (entry !== null) await local.release(claim);
      return entry;
    },
    async renew(claim) {
      await local.renew(claim);
      await update(claim);
    },
    async commit(claim, fingerprint) {
      const isOwnedHere = await local.commit(claim, fingerprint);
      return (await update(claim, 'committed', fingerprint)) && isOwnedHere;
    },
    async finish(claim, fingerprint, outcome) {
      await local.finish(claim, fingerprint, outcome);
      await update(claim, outcome === null ? 'unknown' : 'done', fingerprint, outcome ?? '');
    },
    async release(claim) {
      await local.release(claim);
      await update(claim, 'released');
    },
  };
}
