import assert from 'node:assert/strict';
import { memoryUsage } from 'node:process';
import { mock } from 'node:test';
import { createIdleCollection } from '../../server/idle-collection.ts';
import { settled } from '../helpers/house.ts';

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

  it('happens half a minute after work has ended, and not before', () => {
    mock.timers.enable({ apis: ['setTimeout'] });
    try {
      let collections = 0;
      using idle = createIdleCollection(
        () => false,
        undefined,
        () => {
          collections += 1;
        },
      );
      mock.timers.tick(60_000);
      assert.equal(collections, 0, 'there was no work');
      idle.workEnded();
      mock.timers.tick(29_999);
      assert.equal(collections, 0);
      mock.timers.tick(1);
      assert.equal(collections, 1);
    } finally {
      mock.timers.reset();
    }
  });

  it('happens once when work has ended, however often it did, and again after the next', async () => {
    const collected = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    let collections = 0;
    using idle = createIdleCollection(
      () => false,
      1,
      () => collected[collections++]?.resolve(),
    );
    idle.workEnded();
    idle.workEnded();
    await collected[0]?.promise;
    await laterTimers();
    assert.equal(collections, 1);
    idle.workEnded();
    await collected[1]?.promise;
    assert.equal(collections, 2);
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
    await laterTimers();
    assert.equal(collections, 0);
  });
});

/** Resolves once a timer has fired that was begun later than those of the test, and for longer. */
function laterTimers(): Promise<void> {
  return new Promise((resolve) => {
    const witness = createIdleCollection(() => false, 3, resolve);
    witness.workEnded();
  });
}

/** Makes buffers of so many bytes in all, which nobody keeps. */
function fill(bytes: number): void {
  for (let made = 0; made < bytes; made += 64 * 1024) Buffer.alloc(64 * 1024);
}
