import assert from 'node:assert/strict';
import { createLogger } from '../../../server/logger.ts';
import { defineScript } from '../../../server/redis/script.ts';
import { openSharedStore, type SharedStore } from '../../../server/redis/store.ts';
import { LogSink } from '../../helpers/log-sink.ts';
import { needsRedis, startRedis, type TestRedis } from '../../helpers/redis.ts';
import { settled } from '../../helpers/test-server.ts';

const PROBLEM = 'Redis is down: each process counts limits for itself';

describe('the store that replicas share', function suite() {
  needsRedis(this);
  let redis: TestRedis;
  let store: SharedStore;
  let log: LogSink;
  beforeEach(async () => {
    redis = await startRedis();
    log = new LogSink();
    store = openSharedStore(redis.url, await createLogger({ level: 'trace', destination: log }));
    await settled(() => store.isUp, 'Redis is there');
  });
  afterEach(async () => {
    await store[Symbol.asyncDispose]();
    redis.resume();
    await redis.kill();
  });
  const lines = (level: string): unknown[] =>
    log.entries.filter((entry) => entry['level'] === level).map(({ msg }) => msg);

  it('does not blame Redis when this process was busy for longer than a command may take', async () => {
    const reply = store.send('ECHO', 'here');
    const busyUntil = performance.now() + 400;
    while (performance.now() < busyUntil);
    assert.equal(await reply, 'here');
    assert.equal(store.isUp, true);
    assert.deepEqual(lines('error'), []);
  });

  it('gives up a command that gets no reply in time, and all others at once until a probe got through', async () => {
    redis.pause();
    await assert.rejects(store.send('ECHO', 'here'), /did not respond in time/);
    assert.equal(store.isUp, false);
    assert.equal(store.problem()?.text, PROBLEM);
    assert.match(store.problem()?.detail ?? '', /^Redis is down.* \(.+\)$/);
    assert.deepEqual(lines('error'), [PROBLEM]);
    await assert.rejects(store.send('ECHO', 'here'), { message: PROBLEM });
    redis.resume();
    await settled(() => store.isUp, 'it is used again');
    assert.equal(store.problem(), null);
    assert.equal(await store.send('ECHO', 'here'), 'here');
    assert.deepEqual(lines('error'), [PROBLEM], 'said once');
    assert.deepEqual(lines('info'), Array(2).fill('Redis responds: limits are shared by all replicas'));
  });

  it('takes an error in reply for a Redis of no use, but not that it lacks a script', async () => {
    await assert.rejects(store.send('EVALSHA', '0'.repeat(40), '0'), /^Error: NOSCRIPT|NOSCRIPT/);
    assert.equal(store.isUp, true);
    await assert.rejects(store.send('NO-SUCH-COMMAND'));
    assert.equal(store.isUp, false);
  });

  it('gives scripts the time by the clock of Redis, in milliseconds', async () => {
    const clock = defineScript('return tostring(now)');
    const before = (await store.send('TIME')) as string[];
    const now = Number(await clock(store, [], []));
    const after = (await store.send('TIME')) as string[];
    const [from, to] = [before, after].map(([s, us]) => Number(s) * 1000 + Math.floor(Number(us) / 1000));
    assert(now >= (from ?? 0) && now <= (to ?? 0), `${now} between ${from} and ${to}`);
  });

  it('is silent once it is closed', async () => {
    await store[Symbol.asyncDispose]();
    await redis.kill();
    assert.deepEqual(lines('error'), []);
  });
});
