import assert from 'node:assert/strict';
import { createSandbox } from '../../../sandbox/index.ts';
import { AppError } from '../../../server/errors/app-error.ts';
import { createUpstreamQuota, type UpstreamQuota } from '../../../server/leadway/quota.ts';
import { createLogger } from '../../../server/logger.ts';
import { openSharedStore } from '../../../server/redis/store.ts';
import { fields, file, sendForm } from '../../helpers/direct-steps.ts';
import { LogSink } from '../../helpers/log-sink.ts';
import { needsRedis, startRedis } from '../../helpers/redis.ts';
import { createTestServer, settled } from '../../helpers/test-server.ts';

const HERE = 'exampleLocation01';
const FOREVER = new AbortController().signal;

/** The headers of a response. */
const reported = (max: number, remaining: number, extra: Record<string, string> = {}) => ({
  'x-ratelimit-max': `${max}`,
  'x-ratelimit-remaining': `${remaining}`,
  'x-ratelimit-interval-milliseconds': '10000',
  'x-ratelimit-limit-daily': '200000',
  'x-ratelimit-daily-remaining': '1000',
  ...extra,
});

/** Milliseconds of the rejection; 0 when the call was let through. */
async function rejectionOf(quota: UpstreamQuota, attempt?: 'first' | 'retry'): Promise<number> {
  try {
    await quota.take(HERE, FOREVER, attempt);
    return 0;
  } catch (error) {
    assert(error instanceof AppError && error.code === 'UPSTREAM_BUDGET', String(error));
    assert.equal(error.status, 503);
    assert.equal(error.retryable, true);
    return error.options.retryAfterMs ?? -1;
  }
}

const between = (value: number, low: number, high: number): void =>
  assert(value >= low && value <= high, `${value} is not between ${low} and ${high}`);

interface Bench {
  readonly quota: UpstreamQuota;
  /** Waits until what was updated is in use. */
  updated(): Promise<void>;
}

/** What holds with a count in this process and with one in Redis. */
function sharedBehaviour(withBench: (test: (bench: Bench) => Promise<void>) => Promise<void>): void {
  it('assumes no limit before a response has reported one', () =>
    withBench(async ({ quota }) => {
      for (let call = 0; call < 10; call += 1) assert.equal(await rejectionOf(quota), 0);
      assert.equal(await rejectionOf(quota), 0, 'one more waits a moment and goes');
    }));

  it('assumes none when responses tell none', () =>
    withBench(async ({ quota, updated }) => {
      await quota.take(HERE, FOREVER);
      quota.update(HERE, 200, {});
      await updated();
      const started = performance.now();
      for (let call = 0; call < 40; call += 1) assert.equal(await rejectionOf(quota), 0);
      assert(performance.now() - started < 900, 'and nobody waits for them');
    }));

  it('counts the calls that went out before the limit was reported', () =>
    withBench(async ({ quota, updated }) => {
      for (let call = 0; call < 5; call += 1) await quota.take(HERE, FOREVER);
      quota.update(HERE, 200, reported(6, 5));
      await updated();
      assert.equal(await rejectionOf(quota), 0);
      between(await rejectionOf(quota), 8_000, 10_500);
    }));

  it('counts what other programs took', () =>
    withBench(async ({ quota, updated }) => {
      await quota.take(HERE, FOREVER);
      quota.update(HERE, 200, reported(100, 1));
      await updated();
      assert.equal(await rejectionOf(quota), 0);
      between(await rejectionOf(quota), 8_000, 10_500);
      quota.update(HERE, 200, reported(100, 98));
      await updated();
      assert.equal(await rejectionOf(quota), 0, 'Leadway began to count from zero');
    }));

  it('sends nothing after a 429 for as long as its Retry-After says', () =>
    withBench(async ({ quota, updated }) => {
      await quota.take(HERE, FOREVER);
      quota.update(HERE, 429, reported(100, 50, { 'retry-after': '7' }));
      await updated();
      between(await rejectionOf(quota), 6_000, 7_000);
    }));

  it('sends nothing after a 429 without one for the interval', () =>
    withBench(async ({ quota, updated }) => {
      await quota.take(HERE, FOREVER);
      quota.update(HERE, 429, reported(100, 50));
      await updated();
      between(await rejectionOf(quota), 9_000, 10_000);
    }));

  it('believes no Retry-After of years', () =>
    withBench(async ({ quota, updated }) => {
      quota.update(HERE, 429, reported(100, 50, { 'retry-after': '999999999' }));
      await updated();
      between(await rejectionOf(quota), 1, 3_600_000);
    }));

  it('goes on after a 429 that tells no limits: it may be about that one call', () =>
    withBench(async ({ quota, updated }) => {
      quota.update(HERE, 429, { 'retry-after': '7' });
      await updated();
      assert.equal(await rejectionOf(quota), 0);
    }));

  it('lets a retry find out whether a 429 is over, and takes its success for a response', () =>
    withBench(async ({ quota, updated }) => {
      await quota.take(HERE, FOREVER);
      quota.update(HERE, 429, reported(100, 0));
      await updated();
      assert.equal(await rejectionOf(quota, 'retry'), 0);
      quota.update(HERE, 200, reported(100, 97), 'retry');
      await updated();
      assert.equal(await rejectionOf(quota), 0);
    }));

  it('sends one call a minute once the day’s calls are used up', () =>
    withBench(async ({ quota, updated }) => {
      await quota.take(HERE, FOREVER);
      quota.update(HERE, 200, reported(100, 90, { 'x-ratelimit-daily-remaining': '0' }));
      await updated();
      between(await rejectionOf(quota), 50_000, 60_000);
      quota.update(HERE, 200, reported(100, 90, { 'x-ratelimit-daily-remaining': '200000' }));
      await updated();
      assert.equal(await rejectionOf(quota), 0, 'a new day');
    }));

  it('waits a moment for a call that may soon be sent, and leaves at once with its client', () =>
    withBench(async ({ quota, updated }) => {
      await quota.take(HERE, FOREVER);
      quota.update(HERE, 200, reported(1, 0, { 'x-ratelimit-interval-milliseconds': '400' }));
      await updated();
      const client = new AbortController();
      const waiting = quota.take(HERE, client.signal);
      client.abort();
      await assert.rejects(waiting, { name: 'AbortError' });
      assert.equal(await rejectionOf(quota), 0, 'a short wait');
    }));

  it('does not count a client that left', () =>
    withBench(async ({ quota, updated }) => {
      await quota.take(HERE, FOREVER);
      quota.update(HERE, 200, reported(2, 1));
      await updated();
      await assert.rejects(quota.take(HERE, AbortSignal.abort()), { name: 'AbortError' });
      const client = new AbortController();
      const taking = quota.take(HERE, client.signal);
      client.abort();
      await assert.rejects(taking, { name: 'AbortError' });
      await updated();
      assert.equal(await rejectionOf(quota), 0, 'the place is there');
      assert(await rejectionOf(quota), 'and it was the last');
    }));

  it('believes no nonsense', () =>
    withBench(async ({ quota, updated }) => {
      for (const value of ['-1', '1e9', 'NaN', '', '0', '1'.repeat(40)]) {
        quota.update(HERE, 200, {
          'x-ratelimit-max': value,
          'x-ratelimit-remaining': value === '0' ? '5' : value,
          'x-ratelimit-interval-milliseconds': value,
        });
      }
      await updated();
      for (let call = 0; call < 15; call += 1) assert.equal(await rejectionOf(quota), 0);
    }));
}

describe('The budget of a location', () => {
  describe('counted in one process', () => {
    sharedBehaviour(async (test) => {
      const logger = await createLogger({ level: 'silent', destination: new LogSink() });
      await test({ quota: createUpstreamQuota({ store: null, logger }), updated: async () => {} });
    });

    it('is let through again when the window is over, and probes once a minute on a used-up day', async () => {
      let now = 1_000_000;
      const logger = await createLogger({ level: 'silent', destination: new LogSink() });
      const quota = createUpstreamQuota({ store: null, logger, now: () => now });
      await quota.take(HERE, FOREVER);
      quota.update(HERE, 200, reported(2, 1));
      assert.equal(await rejectionOf(quota), 0);
      assert.equal(await rejectionOf(quota), 10_500);
      now += 10_501;
      assert.equal(await rejectionOf(quota), 0);
      quota.update(HERE, 200, reported(2, 1, { 'x-ratelimit-daily-remaining': '0' }));
      now += 60_001;
      assert.equal(await rejectionOf(quota), 0, 'the one that finds out');
      assert.equal(await rejectionOf(quota), 60_000, 'the others wait');
    });
  });

  describe('counted in Redis', function suite() {
    needsRedis(this);
    const connect = async (url: string) => {
      const logger = await createLogger({ level: 'silent', destination: new LogSink() });
      const store = openSharedStore(url, logger);
      await settled(() => store.isUp, 'Redis is there');
      return { store, quota: createUpstreamQuota({ store, logger }) };
    };
    sharedBehaviour(async (test) => {
      await using redis = await startRedis();
      const { store, quota } = await connect(redis.url);
      // Commands of one connection run in their order.
      await test({ quota, updated: async () => void (await store.send('TIME')) });
      await store[Symbol.asyncDispose]();
    });

    it('is known to a replica that has sent nothing yet', async () => {
      await using redis = await startRedis();
      const first = await connect(redis.url);
      const second = await connect(redis.url);
      await first.quota.take(HERE, FOREVER);
      first.quota.update(HERE, 200, reported(1, 0));
      await first.store.send('TIME');
      between(await rejectionOf(second.quota), 8_000, 10_500);
      await first.store[Symbol.asyncDispose]();
      await second.store[Symbol.asyncDispose]();
    });

    it('is kept by each process when Redis dies, from what it did itself', async () => {
      await using redis = await startRedis();
      const { store, quota } = await connect(redis.url);
      await quota.take(HERE, FOREVER);
      quota.update(HERE, 200, reported(2, 1));
      await store.send('TIME');
      await redis.kill();
      assert.equal(await rejectionOf(quota), 0);
      between(await rejectionOf(quota), 8_000, 10_500);
      await store[Symbol.asyncDispose]();
    });

    it('is updated again from the next response when Redis comes back empty', async () => {
      await using redis = await startRedis();
      const { store, quota } = await connect(redis.url);
      for (let call = 0; call < 5; call += 1) await quota.take(HERE, FOREVER);
      quota.update(HERE, 200, reported(6, 1));
      await store.send('TIME');
      await redis.command('FLUSHALL');
      assert.equal(await rejectionOf(quota), 0);
      quota.update(HERE, 200, reported(6, 0));
      await store.send('TIME');
      between(await rejectionOf(quota), 8_000, 10_500);
      await store[Symbol.asyncDispose]();
    });
  });
});

describe('the limits of an account that nothing is known of', () => {
  it('are those of a trial account once Leadway has named them: no call of the 40 is rejected by Leadway', async () => {
    await using resources = new AsyncDisposableStack();
    const sandbox = resources.adopt(await createSandbox({ account: 'trial' }), (opened) => opened.close());
    await using testServer = await createTestServer({ upstream: sandbox });
    const replies = await Promise.all(
      Array.from({ length: 40 }, (_, index) =>
        sendForm(testServer, [...fields(testServer.fields), file(`${index}.txt`, 'text')]),
      ),
    );
    const outcomes = replies.map(({ status, body }) => `${status} ${body.code ?? ''}`);
    assert.deepEqual([...new Set(outcomes)].sort(), ['200 ', '503 UPSTREAM_BUDGET']);
    assert(outcomes.filter((outcome) => outcome === '200 ').length >= 25);
    assert(sandbox.requests.every(({ status }) => status === 200));
  });
});
