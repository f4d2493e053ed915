import assert from 'node:assert/strict';
import { memoryUsage } from 'node:process';
import { createIdleCollection } from '../../server/idle-collection.ts';
import { settled } from '../helpers/house.ts';

/** Long enough for whatever is due in a millisecond. */
const nextTimers = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));

const MIB = 1024 * 1024;

describe('the collection of an idle process', () => {
  it('gives back the buffers that nobody has any more', async () => {
    const before = memoryUsage().arrayBuffers;
    fill(32 * MIB);
    assert(memoryUsage().arrayBuffers - before > 16 * MIB, 'they were collected before');
    using idle = createIdleCollection(() => false, 1);
    idle.workEnded();
    await settled(() => memoryUsage().arrayBuffers - before < 4 * MIB, 'the buffers are gone');
  });

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

/** Makes buffers of so many bytes in all, which nobody keeps. */
function fill(bytes: number): void {
  for (let made = 0; made < bytes; made += 64 * 1024) Buffer.alloc(64 * 1024);
}
