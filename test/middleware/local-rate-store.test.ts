import assert from 'node:assert/strict';
import type { Options } from 'express-rate-limit';
import { LocalRateStore } from '../../middleware/rate-limit.ts';

describe('LocalRateStore', () => {
  let store: LocalRateStore;

  beforeEach(() => {
    store = new LocalRateStore();
    store.init({ windowMs: 60_000 } as Options);
  });
  afterEach(() => store.shutdown());

  it('tells each of several requests of one moment its own count', async () => {
    const counts = await Promise.all([store.increment('a'), store.increment('b'), store.increment('a')]);
    assert.deepEqual(
      counts.map(({ totalHits }) => totalHits),
      [1, 1, 2],
    );
  });

  it('leaves a count that it has told as it was', async () => {
    const first = await store.increment('a');
    await store.increment('a');
    await store.decrement('a');
    await store.decrement('a');
    assert.equal(first.totalHits, 1);
    assert.equal((await store.increment('a')).totalHits, 1);
  });
});
