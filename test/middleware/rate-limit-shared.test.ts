import assert from 'node:assert/strict';
import { freePort } from '../helpers/free-port.ts';
import { needsRedis, startRedis, type TestRedis } from '../helpers/redis.ts';
import { SSO_ENV } from '../helpers/sso-context.ts';
import { createTestServer, settled, type TestServer } from '../helpers/test-server.ts';

const LIMIT = 12;

/** What a call to a limited address that does nothing came to. */
async function ask(
  testServer: TestServer,
): Promise<{ status: number; code?: string; policy: string | null }> {
  const response = await fetch(`${testServer.api}/messages/upload`);
  const { code } = (await response.json()) as { code?: string };
  return {
    status: response.status,
    policy: response.headers.get('ratelimit-policy'),
    ...(code !== undefined && { code }),
  };
}

/** How many calls of `count`, sent at once in turns to all test servers, were let through. */
async function letThrough(servers: readonly TestServer[], count: number): Promise<number> {
  const responses = await Promise.all(
    Array.from({ length: count }, (_, index) => ask(servers[index % servers.length] as TestServer)),
  );
  for (const { status, code } of responses) {
    assert(status === 405 || (status === 429 && code === 'RATE_LIMITED'), `${status} ${code}`);
  }
  return responses.filter(({ status }) => status === 405).length;
}

const testServerWith = (url: string, env: Readonly<Record<string, string>> = {}): Promise<TestServer> =>
  createTestServer({
    env: {
      REDIS_URL: url,
      TICKET_SECRETS: 'a-test-secret-of-at-least-32-characters',
      RATE_LIMIT_MAX: `${LIMIT}`,
      RATE_LIMIT_WINDOW_MS: '60000',
      ...env,
    },
  });

const isUp = (testServer: TestServer): boolean => testServer.server.context.sharedStore?.isUp === true;

async function readiness(testServer: TestServer): Promise<{ status: number; notices: readonly string[] }> {
  const response = await fetch(`${testServer.url}/readyz`);
  return { status: response.status, notices: ((await response.json()) as { notices: string[] }).notices };
}

const linesAbout = (testServer: TestServer, words: string): number =>
  testServer.log.entries.filter(({ msg }) => String(msg).includes(words)).length;

/** Waits longer than the other helpers do: a client may be in the middle of a pause. */
async function comesBack(testServer: TestServer): Promise<void> {
  for (let turn = 0; turn < 4 && !isUp(testServer); turn += 1) {
    await settled(() => isUp(testServer), 'Redis is back').catch(() => {});
  }
  assert(isUp(testServer), 'Redis is not used again');
}

describe('The rate limit of three replicas with one Redis', function suite() {
  needsRedis(this);
  let redis: TestRedis;

  beforeEach(async () => {
    redis = await startRedis();
  });
  afterEach(() => redis.kill());

  it('is one limit, however the calls are spread and however many come at once', async () => {
    await using first = await testServerWith(redis.url);
    await using second = await testServerWith(redis.url);
    await using third = await testServerWith(redis.url);
    const servers = [first, second, third];
    await settled(() => servers.every(isUp), 'Redis is there');
    assert.equal(await letThrough(servers, 5 * LIMIT), LIMIT);
    assert.match((await ask(third)).policy ?? '', new RegExp(`"requests"; q=${LIMIT}; w=60`));
  });

  it('goes on in each process when Redis dies, says so once, and comes back together', async () => {
    await using first = await testServerWith(redis.url);
    await using second = await testServerWith(redis.url);
    const servers = [first, second];
    await settled(() => servers.every(isUp), 'Redis is there');
    assert.equal(await letThrough(servers, LIMIT), LIMIT);
    assert.equal(await letThrough(servers, 2), 0);

    await redis.kill();
    // Each process begins its own count.
    assert.equal(await letThrough([first], LIMIT + 5), LIMIT);
    assert.equal(await letThrough([second], LIMIT + 5), LIMIT);
    for (const testServer of servers) {
      await settled(() => linesAbout(testServer, 'Redis is down') > 0, 'the log tells');
      assert.equal(linesAbout(testServer, 'Redis is down'), 1);
      const { status, notices } = await readiness(testServer);
      assert.equal(status, 200, 'a replica without Redis is of use');
      assert.match(notices.join(), /Redis is down/);
    }

    await redis.start();
    for (const testServer of servers) await comesBack(testServer);
    for (const testServer of servers) assert.deepEqual((await readiness(testServer)).notices, []);
    assert.equal(await letThrough(servers, 3 * LIMIT), LIMIT, 'an empty Redis begins a new count for all');
    for (const testServer of servers) assert.equal(linesAbout(testServer, 'Redis is down'), 1);
  });

  it('counts guesses at a session together', async () => {
    const env = { ...SSO_ENV, RATE_LIMIT_MAX: '2' };
    await using first = await testServerWith(redis.url, env);
    await using second = await testServerWith(redis.url, env);
    await Promise.all([comesBack(first), comesBack(second)]);
    const guess = async ({ api }: TestServer): Promise<number> => {
      const headers = { 'Content-Type': 'application/json' };
      const { status } = await fetch(`${api}/session`, { method: 'POST', headers, body: '{"payload":"x"}' });
      return status;
    };
    assert.deepEqual([await guess(first), await guess(second)], [401, 401]);
    assert.deepEqual([await guess(first), await guess(second)], [429, 429]);
  });

  it('waits for a Redis that hangs once, and not with every request', async () => {
    await using testServer = await testServerWith(redis.url, { RATE_LIMIT_MAX: '1000' });
    await settled(() => isUp(testServer), 'Redis is there');
    await ask(testServer);
    redis.pause();
    const first = await ask(testServer);
    assert.equal(first.status, 405);
    assert.equal(isUp(testServer), false, 'from now on nobody waits');
    for (let turn = 0; turn < 10; turn += 1) assert.equal((await ask(testServer)).status, 405);
    assert.match((await readiness(testServer)).notices.join(), /Redis is down/);
    redis.resume();
    await comesBack(testServer);
    assert.equal(linesAbout(testServer, 'Redis is down'), 1);
  });

  it('lets as many through as ever of the calls that one silence of Redis kept waiting', async () => {
    await using testServer = await testServerWith(redis.url);
    await settled(() => isUp(testServer), 'Redis is there');
    redis.pause();
    assert.equal(await letThrough([testServer], LIMIT + 3), LIMIT);
    redis.resume();
  });

  it('starts without Redis and uses it as soon as it is there', async () => {
    await redis.kill();
    await using testServer = await testServerWith(redis.url);
    await settled(() => linesAbout(testServer, 'Redis is down') === 1, 'the log tells');
    assert.equal(await letThrough([testServer], LIMIT + 3), LIMIT);
    await redis.start();
    await comesBack(testServer);
    assert.equal(await letThrough([testServer], LIMIT + 3), LIMIT);
    assert.notDeepEqual(await redis.command('KEYS', 'leadway-bff:requests:*'), []);
  });

  it('survives a Redis that forgets its scripts', async () => {
    await using testServer = await testServerWith(redis.url);
    await settled(() => isUp(testServer), 'Redis is there');
    assert.equal(await letThrough([testServer], 3), 3);
    await redis.command('SCRIPT', 'FLUSH');
    assert.equal(await letThrough([testServer], LIMIT), LIMIT - 3);
    assert.equal(linesAbout(testServer, 'Redis is down'), 0);
  });

  it('takes a Redis that can’t be written to for one that is down', async () => {
    await using testServer = await testServerWith(redis.url);
    await settled(() => isUp(testServer), 'Redis is there');
    await redis.command('REPLICAOF', '127.0.0.1', String(await freePort()));
    assert.equal(await letThrough([testServer], LIMIT + 3), LIMIT);
    assert.match((await readiness(testServer)).notices.join(), /Redis is down/);
    assert.equal(linesAbout(testServer, 'Redis is down'), 1);
    await redis.command('REPLICAOF', 'NO', 'ONE');
    await comesBack(testServer);
  });

  it('keeps the password of Redis out of the log when it is wrong', async () => {
    await redis.kill();
    await using locked = await startRedis('--requirepass', 'the-right-password');
    await using testServer = await testServerWith(
      locked.url.replace('the-right-password', 'a-wrong-password'),
    );
    await settled(() => linesAbout(testServer, 'Redis is down') === 1, 'the log tells');
    assert.equal((await ask(testServer)).status, 405);
    assert(!testServer.log.lines.join().includes('a-wrong-password'));
  });

  it('keeps who calls out of Redis, and its keys short, whatever a client is called', async () => {
    const trust = { AUTH: 'header', TRUST_PROXY: '127.0.0.1' };
    await using testServer = await testServerWith(redis.url, trust);
    await settled(() => isUp(testServer), 'Redis is there');
    for (const user of ['ana@example.com', `${'x'.repeat(250)}`, '{tag}*?[a]', '../../budget:x']) {
      await fetch(`${testServer.api}/messages/upload`, { headers: { 'X-Forwarded-User': user } });
    }
    const keys = (await redis.command('KEYS', '*')) as string[];
    assert(keys.length >= 2, 'something was counted');
    for (const key of keys) assert.match(key, /^leadway-bff:(probe|(requests|address|failures):[\w-]{43})$/);
  });
});
