import assert from 'node:assert/strict';
import { createProgressTracker } from '../../client/progress.ts';
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
    const report = createProgressTracker(file, (progress) => all.push(progress));
    const last = (): UploadProgress => {
      const progress = all.at(-1);
      assert(progress !== undefined);
      return progress;
    };
    return { report, all, last };
  }

  it('never shrinks within an attempt, and never exceeds the file', () => {
    const { report, all } = watch();
    report.startAttempt();
    for (const fraction of [0, 0.2, 0.1, 0.7, 1.2]) report.setSent(fraction);
    assert.deepEqual(
      all.map(({ loadedBytes }) => loadedBytes),
      [0, 0, 200, 200, 700, 1000],
    );
    report.startAttempt();
    assert.equal(all.at(-1)?.loadedBytes, 0);
    assert.equal(all.at(-1)?.attempt, 2);
  });

  it('reports speed and remaining time, smoothed', () => {
    const { report, last } = watch();
    report.startAttempt();
    report.setSent(0);
    assert.equal(last().bytesPerSecond, 0);
    assert.equal(last().remainingMs, undefined);
    nowMs += 1000;
    report.setSent(0.1);
    assert.equal(last().bytesPerSecond, 100);
    assert.equal(last().remainingMs, 9000);
    nowMs += 1000;
    report.setSent(0.5);
    const { bytesPerSecond, remainingMs = 0 } = last();
    assert(bytesPerSecond > 150 && bytesPerSecond < 250, `${bytesPerSecond} between 100 and 400`);
    assert.equal(Math.round(remainingMs), Math.round((500 / bytesPerSecond) * 1000));
  });

  it('weighs a new speed by how long it held, against three seconds', () => {
    const { report, last } = watch();
    report.startAttempt();
    report.setSent(0);
    nowMs += 1000;
    report.setSent(0.1);
    nowMs += 1000;
    report.setSent(0.5);
    assert.equal(last().bytesPerSecond, 100 + (1000 / 4000) * (400 - 100));
    nowMs += 3000;
    report.setSent(0.5);
    assert.equal(last().bytesPerSecond, 175 + 0.5 * (0 - 175));
  });

  it('looks at the speed every 200 ms', () => {
    const { report, last } = watch();
    report.startAttempt();
    report.setSent(0);
    nowMs += 199;
    report.setSent(0.2);
    assert.equal(last().bytesPerSecond, 0);
    nowMs += 1;
    report.setSent(0.2);
    assert.equal(last().bytesPerSecond, 1000);
    nowMs += 199;
    report.setSent(0.9);
    assert.equal(last().bytesPerSecond, 1000);
  });

  it('starts measuring again with each attempt', () => {
    const { report, last } = watch();
    report.startAttempt();
    report.setSent(0.5);
    nowMs += 60_000;
    report.startAttempt();
    report.setSent(0);
    assert.equal(last().bytesPerSecond, 0);
    nowMs += 1000;
    report.setSent(0.1);
    assert.equal(last().bytesPerSecond, 100);
  });

  it('is uploading until all has been sent, and confirming then', () => {
    const { report, last } = watch();
    report.startAttempt();
    assert.equal(last().phase, 'checking');
    for (const [fraction, phase] of [
      [0, 'uploading'],
      [0.999, 'uploading'],
      [1, 'confirming'],
    ] as const) {
      report.setSent(fraction);
      assert.equal(last().phase, phase);
      assert.equal(last().fraction, fraction);
    }
  });

  it('does not take a burst for a speed', () => {
    const { report, last } = watch();
    report.startAttempt();
    report.setSent(0);
    nowMs += 10;
    report.setSent(0.5);
    assert.equal(last().bytesPerSecond, 0);
    nowMs += 990;
    report.setSent(0.5);
    assert.equal(last().bytesPerSecond, 500);
  });

  it('clears the reason for waiting once it continues', () => {
    const { report, last } = watch();
    report.update({ phase: 'waiting', waitingFor: 'BUSY', retryAtMs: 5 });
    assert.equal(last().waitingFor, 'BUSY');
    report.startAttempt();
    assert.equal(last().waitingFor, undefined);
    assert.equal(last().retryAtMs, undefined);
  });
});
