import assert from 'node:assert/strict';
import { createLocalMemory, createSharedMemory } from '../../../server/callers/session-memory.ts';
import { createSessions, MAX_USES, REUSE_WINDOW_MS } from '../../../server/callers/sessions.ts';
import { AppError } from '../../../server/errors/app-error.ts';
import { createLogger } from '../../../server/logger.ts';
import type { SharedStore } from '../../../server/shared/shared-store.ts';
import { LogSink } from '../../helpers/log-sink.ts';
import { encryptContext, SESSION_SECRET, SHARED_SECRET, userContext } from '../../helpers/sso-context.ts';

const TTL_MS = 60_000;
const START = 1_800_000_000_000;

/** Sessions with a clock that a test moves. */
async function makeSessions(more: Partial<Parameters<typeof createSessions>[0]> = {}) {
  const clock = { now: START };
  const now = () => clock.now;
  const log = new LogSink();
  const sessions = createSessions({
    sharedSecret: SHARED_SECRET,
    sessionSecrets: [SESSION_SECRET],
    ttlMs: TTL_MS,
    locationIds: ['loc1', 'loc2'],
    memory: createLocalMemory(now),
    logger: await createLogger({ level: 'trace', destination: log }),
    now,
    ...more,
  });
  const authenticate = (token: string) =>
    sessions.authenticate({
      headers: { authorization: `Bearer ${token}` },
      rawHeaders: ['Authorization', `Bearer ${token}`],
      addressKey: '127.0.0.1',
      isFromTrustedProxy: false,
    });
  return { sessions, clock, log, authenticate };
}

const isUnauthenticated = (error: unknown): boolean =>
  error instanceof AppError && error.code === 'UNAUTHENTICATED';

describe('createSessions', () => {
  it('knows the user and the one location that the page was open in', async () => {
    const { sessions, authenticate } = await makeSessions();
    const { token, expiresAt } = await sessions.begin(encryptContext(userContext('loc2')));
    assert.equal(expiresAt, START + TTL_MS);
    const caller = await authenticate(token);
    assert.equal(caller.id, 'sso:userInTheCrm00001');
    assert.deepEqual([...(caller.locations ?? [])], ['loc2']);
    assert.equal(caller.isByCookie, false);
  });

  it('ends a session when its time is over, to the millisecond', async () => {
    const { sessions, clock, authenticate } = await makeSessions();
    const { token } = await sessions.begin(encryptContext(userContext('loc1')));
    clock.now += TTL_MS - 1;
    await authenticate(token);
    clock.now += 1;
    await assert.rejects(authenticate(token), isUnauthenticated);
  });

  it('refuses a context for good once its minute is over, however seldom it came', async () => {
    const { sessions, clock, log } = await makeSessions();
    const payload = encryptContext(userContext('loc1'));
    await sessions.begin(payload);
    clock.now += REUSE_WINDOW_MS;
    await sessions.begin(payload);
    clock.now += 1;
    await assert.rejects(sessions.begin(payload), isUnauthenticated);
    clock.now += 24 * 3_600_000;
    await assert.rejects(sessions.begin(payload), isUnauthenticated);
    const refused = log.entries.filter(({ msg }) => msg === 'a user context was replayed and refused');
    assert.deepEqual(
      refused.map(({ count }) => count),
      [3, 4],
    );
    assert(!log.lines.some((line) => line.includes(payload)));
  });

  it('refuses a context in a location that this server has no token for', async () => {
    const { sessions } = await makeSessions();
    await assert.rejects(sessions.begin(encryptContext(userContext('loc3'))), (error) => {
      assert(error instanceof AppError);
      return error.code === 'LOCATION_NOT_ALLOWED';
    });
  });

  it('opens sessions of the old secret while it is listed, and not after', async () => {
    const { sessions } = await makeSessions();
    const { token } = await sessions.begin(encryptContext(userContext('loc1')));
    const newer = 'session-secret-of-forty-characters-00002';
    const during = await makeSessions({ sessionSecrets: [newer, SESSION_SECRET] });
    await during.authenticate(token);
    const after = await makeSessions({ sessionSecrets: [newer] });
    await assert.rejects(after.authenticate(token), isUnauthenticated);
  });

  it('refuses to work without a shared secret', async () => {
    await assert.rejects(makeSessions({ sharedSecret: '' }), TypeError);
  });
});

describe('the memory that replicas share', () => {
  /** As much of Redis as the memory speaks to. */
  function fakeStore(): SharedStore & { isAway: boolean } {
    const values = new Map<string, { count: number; firstAt: string }>();
    const store = {
      isAway: false,
      isUp: true,
      async send(command: string, ...rest: string[]): Promise<unknown> {
        if (store.isAway) throw new Error('Redis is away');
        const [key = '', ...args] = command === 'EVALSHA' ? rest.slice(2) : rest;
        if (command === 'EXISTS') return values.has(key) ? 1 : 0;
        const value = values.get(key) ?? { count: 0, firstAt: args[0] ?? '' };
        values.set(key, { ...value, count: value.count + 1 });
        return [value.count + 1, value.firstAt];
      },
      problem: () => null,
      [Symbol.asyncDispose]: async () => {},
    };
    return store;
  }

  const replicas = async (store: SharedStore) => {
    const first = await makeSessions({ memory: createSharedMemory(store, () => START) });
    const second = await makeSessions({ memory: createSharedMemory(store, () => START) });
    return { first, second };
  };

  it('counts the exchanges of a context over all of them', async () => {
    const { first, second } = await replicas(fakeStore());
    const payload = encryptContext(userContext('loc1'));
    for (let i = 0; i < MAX_USES; i += 1) await (i % 2 ? first : second).sessions.begin(payload);
    await assert.rejects(first.sessions.begin(payload), isUnauthenticated);
    await assert.rejects(second.sessions.begin(payload), isUnauthenticated);
  });

  it('ends a session on all of them', async () => {
    const { first, second } = await replicas(fakeStore());
    const { token } = await first.sessions.begin(encryptContext(userContext('loc1')));
    await second.authenticate(token);
    await first.sessions.end(token);
    await assert.rejects(second.authenticate(token), isUnauthenticated);
  });

  it('falls back to its own while the store is away', async () => {
    const store = fakeStore();
    const { first } = await replicas(store);
    store.isAway = true;
    const payload = encryptContext(userContext('loc1'));
    const { token } = await first.sessions.begin(payload);
    await first.authenticate(token);
    await first.sessions.end(token);
    await assert.rejects(first.authenticate(token), isUnauthenticated);
    for (let i = 1; i < MAX_USES; i += 1) await first.sessions.begin(payload);
    await assert.rejects(first.sessions.begin(payload), isUnauthenticated);
  });
});
