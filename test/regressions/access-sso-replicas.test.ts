import assert from 'node:assert/strict';
import { createSandbox, type Sandbox } from '../../sandbox/index.ts';
import { MAX_USES } from '../../server/auth/sessions.ts';
import { call, PROBE, wasLetIn } from '../helpers/call.ts';
import { needsRedis, startRedis, type TestRedis } from '../helpers/redis.ts';
import type { ApiResponse } from '../helpers/send-upload.ts';
import { encryptContext, SSO_ENV, userContext } from '../helpers/sso-context.ts';
import { createTestServer, settled, type TestServer } from '../helpers/test-server.ts';

const MONTH_MS = 30 * 24 * 3_600_000;

const isUp = (testServer: TestServer): boolean => testServer.server.context.sharedStore?.isUp === true;

/** Two replicas in front of one sandbox, with a Redis that responds both. */
async function replicas(
  redis: TestRedis,
  sandbox: Sandbox,
): Promise<[TestServer, TestServer] & AsyncDisposable> {
  const env = { ...SSO_ENV, REDIS_URL: redis.url };
  const servers: [TestServer, TestServer] = [
    await createTestServer({ upstream: sandbox, env }),
    await createTestServer({ upstream: sandbox, env }),
  ];
  await settled(() => servers.every(isUp), 'Redis is there');
  return Object.assign(servers, {
    async [Symbol.asyncDispose]() {
      for (const testServer of servers) await testServer[Symbol.asyncDispose]();
    },
  });
}

const signIn = (testServer: TestServer, payload: string): Promise<ApiResponse> =>
  call(testServer, { method: 'POST', path: '/session', json: { payload } });

const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });

async function sessionAt(testServer: TestServer, payload: string): Promise<string> {
  const { status, text } = await signIn(testServer, payload);
  assert.equal(status, 200, text);
  return (JSON.parse(text) as { token: string }).token;
}

const isIn = async (testServer: TestServer, token: string): Promise<boolean> =>
  wasLetIn(await call(testServer, { ...PROBE, headers: bearer(token) }));

const signOut = (testServer: TestServer, token: string): Promise<ApiResponse> =>
  call(testServer, { method: 'DELETE', path: '/session', headers: bearer(token) });

describe('sessions of replicas that share a Redis', function suite() {
  needsRedis(this);
  let redis: TestRedis;
  let sandbox: Sandbox;
  let payload: string;
  before(async () => {
    redis = await startRedis();
    sandbox = await createSandbox();
  });
  beforeEach(async () => {
    await redis.command('FLUSHALL');
    payload = encryptContext(userContext(sandbox.locationId));
  });
  after(async () => {
    await sandbox?.close();
    await redis?.[Symbol.asyncDispose]();
  });

  it('count the exchanges of one context together, those at the same moment too', async () => {
    await using servers = await replicas(redis, sandbox);
    const responses = await Promise.all(
      Array.from({ length: MAX_USES * 2 }, (_, index) => signIn(servers[index % 2] as TestServer, payload)),
    );
    const accepted = responses.filter(({ status }) => status === 200);
    assert.equal(accepted.length, MAX_USES);
    for (const testServer of servers) assert.equal((await signIn(testServer, payload)).status, 401);
    const [key] = (await redis.command('KEYS', 'leadway-bff:context:*')) as string[];
    const leftMs = Number(await redis.command('PTTL', String(key)));
    assert(leftMs > MONTH_MS - 60_000 && leftMs <= MONTH_MS, `${leftMs} ms`);
  });

  it('end together, and are remembered as ended for as long as they would last', async () => {
    await using servers = await replicas(redis, sandbox);
    const [first, second] = servers;
    const token = await sessionAt(first, payload);
    const other = await sessionAt(first, payload);
    assert(await isIn(second, token));
    assert.equal((await signOut(first, token)).status, 204);
    for (const testServer of servers) {
      assert.equal(await isIn(testServer, token), false);
      assert.equal(await isIn(testServer, other), true);
    }
    const [key] = (await redis.command('KEYS', 'leadway-bff:ended:*')) as string[];
    const leftMs = Number(await redis.command('PTTL', String(key)));
    assert(leftMs > 0 && leftMs <= 900_000, `${leftMs} ms`);
  });

  it('go on counting when Redis has forgotten its scripts', async () => {
    await using servers = await replicas(redis, sandbox);
    await sessionAt(servers[0], payload);
    await redis.command('SCRIPT', 'FLUSH');
    for (let count = 1; count < MAX_USES; count += 1)
      await sessionAt(servers[count % 2] as TestServer, payload);
    for (const testServer of servers) assert.equal((await signIn(testServer, payload)).status, 401);
  });

  it('are each replica’s own while Redis is down: what one has seen, it still rejects', async () => {
    await using servers = await replicas(redis, sandbox);
    const [first, second] = servers;
    const token = await sessionAt(first, payload);
    await redis.kill();
    try {
      assert(await isIn(second, token));
      assert.equal((await signOut(first, token)).status, 204);
      assert.equal(await isIn(first, token), false);
      for (let count = 1; count < MAX_USES; count += 1) await sessionAt(first, payload);
      assert.equal((await signIn(first, payload)).status, 401);
    } finally {
      await redis.start();
    }
  });
});
