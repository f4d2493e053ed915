import assert from 'node:assert/strict';
import { freePort } from '../helpers/free-port.ts';
import { createHouse, type House, settled } from '../helpers/house.ts';
import { needsRedis, startRedis, type TestRedis } from '../helpers/redis.ts';

const LIMIT = 12;

/** What a call to a limited address that does nothing came to. */
async function ask(house: House): Promise<{ status: number; code?: string; policy: string | null }> {
  const answer = await fetch(`${house.api}/messages/upload`);
  const { code } = (await answer.json()) as { code?: string };
  return {
    status: answer.status,
    policy: answer.headers.get('ratelimit-policy'),
    ...(code !== undefined && { code }),
  };
}

/** How many calls of `count`, sent at once in turns to all houses, were let through. */
async function letThrough(houses: readonly House[], count: number): Promise<number> {
  const answers = await Promise.all(
    Array.from({ length: count }, (_, index) => ask(houses[index % houses.length] as House)),
  );
  for (const { status, code } of answers) {
    assert(status === 405 || (status === 429 && code === 'RATE_LIMITED'), `${status} ${code}`);
  }
  return answers.filter(({ status }) => status === 405).length;
}

const houseWith = (url: string, env: Readonly<Record<string, string>> = {}): Promise<House> =>
  createHouse({
    env: { REDIS_URL: url, RATE_LIMIT_MAX: `${LIMIT}`, RATE_LIMIT_WINDOW_MS: '60000', ...env },
  });

const isUp = (house: House): boolean => house.server.context.sharedStore?.isUp === true;

async function readiness(house: House): Promise<{ status: number; notices: readonly string[] }> {
  const answer = await fetch(`${house.url}/readyz`);
  return { status: answer.status, notices: ((await answer.json()) as { notices: string[] }).notices };
}

const linesAbout = (house: House, words: string): number =>
  house.log.entries.filter(({ msg }) => String(msg).includes(words)).length;

/** Waits longer than the other helpers do: a client may be in the middle of a pause. */
async function comesBack(house: House): Promise<void> {
  for (let turn = 0; turn < 4 && !isUp(house); turn += 1) {
    await settled(() => isUp(house), 'Redis is back').catch(() => {});
  }
  assert(isUp(house), 'Redis is not used again');
}

describe('The rate limit of three replicas with one Redis', function suite() {
  needsRedis(this);
  let redis: TestRedis;

  beforeEach(async () => {
    redis = await startRedis();
  });
  afterEach(() => redis.kill());

  it('is one limit, however the calls are spread and however many come at once', async () => {
    await using first = await houseWith(redis.url);
    await using second = await houseWith(redis.url);
    await using third = await houseWith(redis.url);
    const houses = [first, second, third];
    await settled(() => houses.every(isUp), 'Redis is there');
    assert.equal(await letThrough(houses, 5 * LIMIT), LIMIT);
    assert.match((await ask(third)).policy ?? '', new RegExp(`"requests"; q=${LIMIT}; w=60`));
  });

  it('goes on in each process when Redis dies, says so once, and comes back together', async () => {
    await using first = await houseWith(redis.url);
    await using second = await houseWith(redis.url);
    const houses = [first, second];
    await settled(() => houses.every(isUp), 'Redis is there');
    assert.equal(await letThrough(houses, LIMIT), LIMIT);
    assert.equal(await letThrough(houses, 2), 0);

    await redis.kill();
    // Each process begins a count of its own.
    assert.equal(await letThrough([first], LIMIT + 5), LIMIT);
    assert.equal(await letThrough([second], LIMIT + 5), LIMIT);
    for (const house of houses) {
      await settled(() => linesAbout(house, 'Redis is away') > 0, 'the log tells');
      assert.equal(linesAbout(house, 'Redis is away'), 1);
      const { status, notices } = await readiness(house);
      assert.equal(status, 200, 'a replica without Redis is of use');
      assert.match(notices.join(), /Redis is away/);
    }

    await redis.start();
    for (const house of houses) await comesBack(house);
    for (const house of houses) assert.deepEqual((await readiness(house)).notices, []);
    assert.equal(await letThrough(houses, 3 * LIMIT), LIMIT, 'an empty Redis begins a new count for all');
    for (const house of houses) assert.equal(linesAbout(house, 'Redis is away'), 1);
  });

  it('waits for a Redis that hangs once, and not with every request', async () => {
    await using house = await houseWith(redis.url, { RATE_LIMIT_MAX: '1000' });
    await settled(() => isUp(house), 'Redis is there');
    await ask(house);
    redis.pause();
    const first = await ask(house);
    assert.equal(first.status, 405);
    assert.equal(isUp(house), false, 'from now on nobody waits');
    for (let turn = 0; turn < 10; turn += 1) assert.equal((await ask(house)).status, 405);
    assert.match((await readiness(house)).notices.join(), /Redis is away/);
    redis.resume();
    await comesBack(house);
    assert.equal(linesAbout(house, 'Redis is away'), 1);
  });

  it('lets as many through as ever of the calls that one silence of Redis kept waiting', async () => {
    await using house = await houseWith(redis.url);
    await settled(() => isUp(house), 'Redis is there');
    redis.pause();
    assert.equal(await letThrough([house], LIMIT + 3), LIMIT);
    redis.resume();
  });

  it('starts without Redis and uses it as soon as it is there', async () => {
    await redis.kill();
    await using house = await houseWith(redis.url);
    await settled(() => linesAbout(house, 'Redis is away') === 1, 'the log tells');
    assert.equal(await letThrough([house], LIMIT + 3), LIMIT);
    await redis.start();
    await comesBack(house);
    assert.equal(await letThrough([house], LIMIT + 3), LIMIT);
    assert.notDeepEqual(await redis.command('KEYS', 'leadway-bff:requests:*'), []);
  });

  it('survives a Redis that forgets its scripts', async () => {
    await using house = await houseWith(redis.url);
    await settled(() => isUp(house), 'Redis is there');
    assert.equal(await letThrough([house], 3), 3);
    await redis.command('SCRIPT', 'FLUSH');
    assert.equal(await letThrough([house], LIMIT), LIMIT - 3);
    assert.equal(linesAbout(house, 'Redis is away'), 0);
  });

  it('takes a Redis that can’t be written to for one that is away', async () => {
    await using house = await houseWith(redis.url);
    await settled(() => isUp(house), 'Redis is there');
    await redis.command('REPLICAOF', '127.0.0.1', String(await freePort()));
    assert.equal(await letThrough([house], LIMIT + 3), LIMIT);
    assert.match((await readiness(house)).notices.join(), /Redis is away/);
    assert.equal(linesAbout(house, 'Redis is away'), 1);
    await redis.command('REPLICAOF', 'NO', 'ONE');
    await comesBack(house);
  });

  it('keeps the password of Redis out of the log when it is wrong', async () => {
    await redis.kill();
    await using locked = await startRedis('--requirepass', 'the-right-password');
    await using house = await houseWith(locked.url.replace('the-right-password', 'a-wrong-password'));
    await settled(() => linesAbout(house, 'Redis is away') === 1, 'the log tells');
    assert.equal((await ask(house)).status, 405);
    assert(!house.log.lines.join().includes('a-wrong-password'));
  });

  it('keeps who calls out of Redis, and its keys short, whatever a caller is called', async () => {
    const trust = { AUTH: 'header', TRUST_PROXY: '127.0.0.1' };
    await using house = await houseWith(redis.url, trust);
    await settled(() => isUp(house), 'Redis is there');
    for (const user of ['ana@example.com', `${'x'.repeat(250)}`, '{tag}*?[a]', '../../budget:x']) {
      await fetch(`${house.api}/messages/upload`, { headers: { 'X-Forwarded-User': user } });
    }
    const keys = (await redis.command('KEYS', '*')) as string[];
    assert(keys.length >= 2, 'something was counted');
    for (const key of keys) assert.match(key, /^leadway-bff:(probe|(requests|address|failures):[\w-]{43})$/);
  });
});
