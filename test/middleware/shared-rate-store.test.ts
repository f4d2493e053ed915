import assert from 'node:assert/strict';
import type { Options } from 'express-rate-limit';
import { SharedRateStore } from '../../middleware/rate-limit.ts';
import { createLogger } from '../../server/logger.ts';
import { openSharedStore, type SharedStore } from '../../server/redis/store.ts';
import { LogSink } from '../helpers/log-sink.ts';
import { needsRedis, startRedis } from '../helpers/redis.ts';
import { settled } from '../helpers/test-server.ts';

/** What the limiter tells its store; nothing else of it is read. */
const OPTIONS = { windowMs: 60_000 } as Options;

describe('a count of requests in Redis', function suite() {
  needsRedis(this);

  /** A Redis whose commands the test can make fail. */
  async function open() {
    const redis = await startRedis();
    const logger = await createLogger({ level: 'silent', destination: new LogSink() });
    const store = openSharedStore(redis.url, logger);
    await settled(() => store.isUp, 'Redis is there');
    const control = { isBroken: false };
    const shared: SharedStore = {
      isUp: true,
      send: async (...command) => {
        if (control.isBroken) throw new Error('Redis hiccups');
        return store.send(...command);
      },
      problem: () => null,
      async [Symbol.asyncDispose]() {},
    };
    return {
      redis,
      control,
      create() {
        const rates = new SharedRateStore(shared, 'requests');
        rates.init(OPTIONS);
        return rates;
      },
      async [Symbol.asyncDispose]() {
        await store[Symbol.asyncDispose]();
        await redis.kill();
      },
    };
  }
  const hits = async (rates: SharedRateStore, key = 'ann') => (await rates.increment(key)).totalHits;

  it('is kept by all processes, for each client its own', async () => {
    await using opened = await open();
    const [one, other] = [opened.create(), opened.create()];
    assert.deepEqual([await hits(one), await hits(other), await hits(one)], [1, 2, 3]);
    assert.equal(await hits(other, 'anna'), 1);
    await one.decrement('ann');
    assert.equal(await hits(other), 3);
    await one.resetKey('ann');
    assert.equal(await hits(other), 1);
  });

  it('is kept in Redis again after the first use of it failed', async () => {
    await using opened = await open();
    const [one, other] = [opened.create(), opened.create()];
    opened.control.isBroken = true;
    assert.equal(await hits(one), 1, 'this process counts for itself');
    assert.equal(await hits(one), 2);
    opened.control.isBroken = false;
    assert.equal(await hits(other), 1);
    assert.equal(await hits(one), 2, 'and for all again');
    opened.control.isBroken = true;
    assert.equal(await hits(one), 3, 'what it counted alone is not forgotten');
  });

  it('takes back and forgets in this process too while Redis fails', async () => {
    await using opened = await open();
    const rates = opened.create();
    opened.control.isBroken = true;
    assert.equal(await hits(rates), 1);
    assert.equal(await hits(rates), 2);
    await rates.decrement('ann');
    assert.equal(await hits(rates), 2);
    await rates.resetKey('ann');
    assert.equal(await hits(rates), 1);
    await rates.shutdown();
  });
});
