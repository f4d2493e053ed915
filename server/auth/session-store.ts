import { defineScript } from '../redis/script.ts';
import { type SharedStore, sharedOrLocal } from '../redis/store.ts';

/** How often a user context was exchanged for a session. */
export interface ContextUse {
  /** This time included. */
  readonly count: number;
  readonly firstAt: number;
}

/** The only session state that is stored; the rest is in the sealed token. */
export interface SessionStore {
  /** Counts one exchange of the context. */
  countUse(digest: string): Promise<ContextUse>;
  /** Remembers until `expiresAt` that the session was ended. */
  end(sessionId: string, expiresAt: number): Promise<void>;
  hasEnded(sessionId: string): Promise<boolean>;
}

/** Contexts carry no time and open for as long as the app keeps its secret; the oldest are forgotten first. */
const REMEMBERED_CONTEXTS = 100_000;

/** Remembers in this process. */
export function createLocalSessionStore(now: () => number): SessionStore {
  const uses = new Map<string, ContextUse>();
  const ended = new Map<string, number>();
  return {
    async countUse(digest) {
      const { count, firstAt } = uses.get(digest) ?? { count: 0, firstAt: now() };
      const use = { count: count + 1, firstAt };
      uses.set(digest, use);
      const [oldest] = uses.keys();
      if (uses.size > REMEMBERED_CONTEXTS && oldest !== undefined) uses.delete(oldest);
      return use;
    },
    async end(sessionId, expiresAt) {
      for (const [id, endsAt] of ended) if (endsAt <= now()) ended.delete(id);
      ended.set(sessionId, expiresAt);
    },
    hasEnded: async (sessionId) => ended.has(sessionId),
  };
}

const REMEMBERED_MS = 30 * 24 * 3_600_000;

const COUNT_USE = defineScript(`
redis.call('HSETNX', KEYS[1], 'firstAt', ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return {redis.call('HINCRBY', KEYS[1], 'count', 1), redis.call('HGET', KEYS[1], 'firstAt')}
`);

/** Remembers in Redis for all replicas and, for when it is down, in this process. */
export function createSharedSessionStore(store: SharedStore, now: () => number): SessionStore {
  const local = createLocalSessionStore(now);
  return {
    async countUse(digest) {
      const here = await local.countUse(digest);
      const countTogether = async (): Promise<ContextUse> => {
        const reply = await COUNT_USE(store, [`leadway-bff:context:${digest}`], [now(), REMEMBERED_MS]);
        const [count, firstAt] = (reply as unknown[]).map(Number);
        return { count: Math.max(here.count, count ?? 0), firstAt: Math.min(here.firstAt, firstAt ?? now()) };
      };
      return sharedOrLocal(store, countTogether, () => here);
    },
    async end(sessionId, expiresAt) {
      await local.end(sessionId, expiresAt);
      const leftMs = String(Math.max(1, Math.ceil(expiresAt - now())));
      const endTogether = (): Promise<unknown> => store.send('SET', endedKey(sessionId), '1', 'PX', leftMs);
      await sharedOrLocal<unknown>(store, endTogether, () => null);
    },
    async hasEnded(sessionId) {
      if (await local.hasEnded(sessionId)) return true;
      const hasEndedTogether = async (): Promise<boolean> =>
        (await store.send('EXISTS', endedKey(sessionId))) === 1;
      return sharedOrLocal(store, hasEndedTogether, () => false);
    },
  };
}

function endedKey(sessionId: string): string {
  return `leadway-bff:ended:${sessionId}`;
}
