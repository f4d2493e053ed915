import assert from 'node:assert/strict';
import { createIdleCollection } from '../../server/idle-collection.ts';

/** Long enough for whatever is due in a millisecond. */
const nextTimers = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));

describe('the collection of an idle process', () => {
  it('happens once when work has ended, however often it did', async () => {
    const collected = Promise.withResolvers<void>();
    let collections = 0;
    using idle = createIdleCollection(
      () => false,
      1,
      () => {
        collections += 1;
        collected.resolve();
      },
    );
    await nextTimers();
    assert.equal(collections, 0);
    idle.workEnded();
    idle.workEnded();
    await Promise.all([collected.promise, nextTimers()]);
    assert.equal(collections, 1);
  });

  it('does not happen while there is work again, nor when it was disposed', async () => {
    let collections = 0;
    const count = (): void => {
      collections += 1;
    };
    using busy = createIdleCollection(() => true, 1, count);
    busy.workEnded();
    const disposed = createIdleCollection(() => false, 1, count);
    disposed.workEnded();
    disposed[Symbol.dispose]();
    await nextTimers();
    assert.equal(collections, 0);
  });
});
