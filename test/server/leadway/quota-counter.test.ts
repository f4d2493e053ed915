import assert from 'node:assert/strict';
import {
  createLocalCounter,
  type LocalQuotaCounter,
  type ReportedLimits,
  UNINFORMED,
} from '../../../server/leadway/quota-counter.ts';

const HERE = 'exampleLocation01';
const reported = (limits: Partial<ReportedLimits> = {}): ReportedLimits => ({
  max: 3,
  intervalMs: 10_000,
  remaining: null,
  blockMs: 0,
  isDayUsedUp: null,
  isRetry: false,
  ...limits,
});

describe('The count of calls in one process', () => {
  let nowMs: number;
  let counter: LocalQuotaCounter;
  let calls: number;
  beforeEach(() => {
    nowMs = 1_000_000;
    calls = 0;
    counter = createLocalCounter(() => nowMs);
  });
  const take = (kind: 'normal' | 'uninformed' | 'retry' = 'normal', location = HERE) =>
    counter.take(location, `call-${++calls}`, kind);

  it('lets ten calls out before a response has reported the limits', async () => {
    for (let call = 0; call < 10; call += 1) assert.equal(await take(), 0);
    assert.equal(await take(), UNINFORMED);
    assert.equal(counter.takeNow(HERE), false);
    assert.equal(await take('uninformed'), 0);
    assert.equal(await take('retry'), 0);
    assert.equal(await take('normal', 'another'), 0, 'another location has its own count');
    nowMs += 60_000;
    assert.equal(await take(), 0, 'they are forgotten after a minute');
  });

  it('is for each call as old as it is', async () => {
    counter.update(HERE, reported());
    for (let call = 0; call < 3; call += 1) {
      assert.equal(counter.takeNow(HERE), true);
      nowMs += 1_000;
    }
    // The window is a twentieth longer than Leadway's.
    assert.equal(await take(), 7_500);
    nowMs += 7_499;
    assert.equal(await take(), 1);
    nowMs += 1;
    assert.equal(await take(), 0);
    assert.equal(await take(), 1_000);
  });

  it('counts what other programs took, until Leadway counts from zero', async () => {
    assert.equal(await take(), 0);
    counter.update(HERE, reported({ remaining: 1 }));
    assert.equal(await take(), 0);
    assert.equal(await take(), 10_000);
    assert.equal(await take('retry'), 0, 'a retry finds out');
    nowMs += 9_999;
    assert.equal(await take(), 1);
    nowMs += 1;
    assert.equal(await take(), 500, 'its own calls count a little longer');
  });

  it('never waits longer than for its own oldest call, nor less than a millisecond', async () => {
    counter.update(HERE, reported({ max: 1 }));
    assert.equal(await take(), 0);
    nowMs += 10_499;
    counter.update(HERE, reported({ max: 1, remaining: 0, intervalMs: 20_000 }));
    assert.equal(await take(), 21_000 - 10_499);
    counter.update(HERE, reported({ max: 3, remaining: 0 }));
    assert.equal(await take(), 1, 'then its own call no longer counts');
  });

  it('does not count a call that it did not let out', async () => {
    counter.update(HERE, reported({ max: 1 }));
    assert.equal(counter.takeNow(HERE), true);
    nowMs += 5_000;
    for (let call = 0; call < 3; call += 1) assert.equal(counter.takeNow(HERE), false);
    nowMs += 5_500;
    assert.equal(counter.takeNow(HERE), true);
  });

  it('takes calls of before a shorter window for those of other programs no more', async () => {
    counter.update(HERE, reported({ max: 10, intervalMs: 60_000 }));
    for (let call = 0; call < 3; call += 1) assert.equal(await take(), 0);
    nowMs += 20_000;
    // Three are taken, and none of them can be ours: those are too old for the interval.
    counter.update(HERE, reported({ max: 4, remaining: 1, intervalMs: 10_000 }));
    assert.equal(await take(), 0);
    assert.equal(await take(), 10_000);
  });

  it('gives back the one call that was not made', async () => {
    counter.update(HERE, reported({ max: 2 }));
    assert.equal(await take(), 0);
    assert.equal(await take(), 0);
    assert.notEqual(await take(), 0);
    counter.giveBack(HERE, 'call-1');
    assert.equal(await take(), 0);
    assert.notEqual(await take(), 0);
    counter.giveBack(HERE, 'no such call');
    assert.notEqual(await take(), 0);
  });

  it('counts calls that were allowed elsewhere', async () => {
    counter.update(HERE, reported({ max: 1 }));
    counter.note(HERE, 'elsewhere');
    assert.equal(await take(), 10_500);
  });

  it('keeps a block though an earlier call succeeds meanwhile', async () => {
    counter.update(HERE, reported({ blockMs: 5_000 }));
    counter.update(HERE, reported());
    assert.equal(await take(), 5_000);
    assert.equal(counter.takeNow(HERE), false);
    nowMs += 4_999;
    assert.equal(await take(), 1);
    nowMs += 1;
    assert.equal(await take(), 0);
  });

  it('ends a block by a retry that succeeds, and not by one that fails', async () => {
    counter.update(HERE, reported({ blockMs: 5_000 }));
    assert.equal(await take('retry'), 0);
    counter.update(HERE, reported({ isRetry: true, blockMs: 2_000 }));
    assert.equal(await take(), 5_000, 'the longer of both');
    counter.update(HERE, reported({ isRetry: true }));
    assert.equal(await take(), 0);
  });

  it('lets one call a minute find out whether a new day has begun', async () => {
    counter.update(HERE, reported({ max: 100, isDayUsedUp: true }));
    assert.equal(await take(), 0);
    assert.equal(await take(), 60_000);
    counter.update(HERE, reported({ max: 100 }));
    assert.equal(await take(), 60_000, 'a response that does not say changes nothing');
    nowMs += 60_000;
    assert.equal(await take(), 0);
    assert.equal(await take(), 60_000, 'one call a minute, still');
    counter.update(HERE, reported({ max: 100, isDayUsedUp: false }));
    assert.equal(await take(), 0, 'a new day');
    assert.equal(await take(), 0);
    counter.update(HERE, reported({ max: 100, blockMs: 5_000 }));
    counter.update(HERE, reported({ max: 100, isDayUsedUp: false }));
    assert.equal(await take(), 5_000, 'a day that was not used up ends no block');
  });

  it('counts nothing where responses tell no limit, and keeps one that was reported', async () => {
    for (let call = 0; call < 10; call += 1) assert.equal(await take(), 0);
    counter.update(HERE, reported({ max: null }));
    for (let call = 0; call < 20; call += 1) assert.equal(await take(), 0);
    counter.update(HERE, reported({ max: 2 }));
    assert.equal(await take(), 0);
    assert.equal(await take(), 0);
    counter.update(HERE, reported({ max: null }));
    assert.equal(await take(), 10_500);
  });

  it('forgets what is older than a window that has become shorter', async () => {
    counter.update(HERE, reported({ max: 1, intervalMs: 60_000 }));
    assert.equal(await take(), 0);
    nowMs += 1_050;
    counter.update(HERE, reported({ max: 1, intervalMs: 1_000 }));
    assert.equal(await take(), 0);
  });
});
