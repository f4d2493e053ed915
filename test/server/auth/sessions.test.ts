import assert from 'node:assert/strict';
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { createLocalSessionStore } from '../../../server/auth/session-store.ts';
import { createSessions, REUSE_WINDOW_MS } from '../../../server/auth/sessions.ts';
import { AppError } from '../../../server/errors/app-error.ts';
import { createLogger } from '../../../server/logger.ts';
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
    store: createLocalSessionStore(now),
    logger: await createLogger({ level: 'trace', destination: log }),
    now,
    ...more,
  });
  const authenticate = (token: string) =>
    sessions.authenticate({
      incoming: new IncomingMessage(new Socket()),
      headers: { authorization: `Bearer ${token}` },
      headersDistinct: { authorization: [`Bearer ${token}`] },
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
    const client = await authenticate(token);
    assert.equal(client.id, 'sso:userInTheCrm00001');
    assert.deepEqual([...(client.locations ?? [])], ['loc2']);
    assert.equal(client.isByCookie, false);
  });

  it('ends a session when it expires, to the millisecond', async () => {
    const { sessions, clock, authenticate } = await makeSessions();
    const { token } = await sessions.begin(encryptContext(userContext('loc1')));
    clock.now += TTL_MS - 1;
    await authenticate(token);
    clock.now += 1;
    await assert.rejects(authenticate(token), isUnauthenticated);
  });

  it('rejects a context for good once its minute is over, however seldom it came', async () => {
    const { sessions, clock, log } = await makeSessions();
    const payload = encryptContext(userContext('loc1'));
    await sessions.begin(payload);
    clock.now += REUSE_WINDOW_MS;
    await sessions.begin(payload);
    clock.now += 1;
    await assert.rejects(sessions.begin(payload), isUnauthenticated);
    clock.now += 24 * 3_600_000;
    await assert.rejects(sessions.begin(payload), isUnauthenticated);
    const rejected = log.entries.filter(({ msg }) => msg === 'a user context was replayed and rejected');
    assert.deepEqual(
      rejected.map(({ count }) => count),
      [3, 4],
    );
    assert(!log.lines.some((line) => line.includes(payload)));
  });

  it('rejects a context in a location that this server has no token for', async () => {
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

  it('rejects to work without a shared secret', async () => {
    await assert.rejects(makeSessions({ sharedSecret: '' }), TypeError);
  });
});
