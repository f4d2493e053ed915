import assert from 'node:assert/strict';
import { createReporter } from '../../client/progress.ts';
import type { UploadProgress } from '../../client/types.ts';

const file = new File(['x'.repeat(1000)], 'a.txt');

describe('the progress of an upload', () => {
  let nowMs = 0;
  const clock = performance.now;
  beforeEach(() => {
    nowMs = 1000;
    performance.now = () => nowMs;
  });
  afterEach(() => {
    performance.now = clock;
  });

  function watch() {
    const all: UploadProgress[] = [];
    const report = createReporter(file, (progress) => all.push(progress));
    const last = (): UploadProgress => {
      const progress = all.at(-1);
      assert(progress !== undefined);
      return progress;
    };
    return { report, all, last };
  }

  it('never shrinks within a try, and is never more than the file', () => {
    const { report, all } = watch();
    report.begin();
    for (const fraction of [0, 0.2, 0.1, 0.7, 1.2]) report.sent(fraction);
    assert.deepEqual(
      all.map(({ loadedBytes }) => loadedBytes),
      [0, 0, 200, 200, 700, 1000],
    );
    report.begin();
    assert.equal(all.at(-1)?.loadedBytes, 0);
    assert.equal(all.at(-1)?.attempt, 2);
  });

  it('tells speed and remaining time, smoothed', () => {
    const { report, last } = watch();
    report.begin();
    report.sent(0);
    assert.equal(last().bytesPerSecond, 0);
    assert.equal(last().remainingMs, undefined);
    nowMs += 1000;
    report.sent(0.1);
    assert.equal(last().bytesPerSecond, 100);
    assert.equal(last().remainingMs, 9000);
    nowMs += 1000;
    report.sent(0.5);
    const { bytesPerSecond, remainingMs = 0 } = last();
    assert(bytesPerSecond > 150 && bytesPerSecond < 250, `${bytesPerSecond} between 100 and 400`);
    assert.equal(Math.round(remainingMs), Math.round((500 / bytesPerSecond) * 1000));
  });

  it('does not take a burst for a speed', () => {
    const { report, last } = watch();
    report.begin();
    report.sent(0);
    nowMs += 10;
    report.sent(0.5);
    assert.equal(last().bytesPerSecond, 0);
    nowMs += 990;
    report.sent(0.5);
    assert.equal(last().bytesPerSecond, 500);
  });

  it('forgets why it waited once it goes on', () => {
    const { report, last } = watch();
    report.note({ phase: 'waiting', waitingFor: 'BUSY', retryAtMs: 5 });
    assert.equal(last().waitingFor, 'BUSY');
    report.begin();
    assert.equal(last().waitingFor, undefined);
    assert.equal(last().retryAtMs, undefined);
  });
});
