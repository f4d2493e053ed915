import assert from 'node:assert/strict';
import { mock } from 'node:test';
import { createProgressTracker, type ProgressTracker } from '../../client/progress.ts';
import type { UploadProgress } from '../../client/types.ts';

const file = new File(['x'.repeat(1000)], 'a.txt');

describe('the progress of an upload', () => {
  let nowMs = 0;
  const clock = performance.now;
  beforeEach(() => {
    nowMs = 1000;
    performance.now = () => nowMs;
    mock.timers.enable({ apis: ['setTimeout'] });
  });
  afterEach(() => {
    performance.now = clock;
    mock.timers.reset();
  });

  function tick(ms: number): void {
    nowMs += ms;
    mock.timers.tick(ms);
  }

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

  /** Starts an attempt and lets the first interval pass, which is not measured. */
  function begin(report: ProgressTracker, burst = 0): void {
    report.startAttempt();
    report.setSent(0);
    tick(200);
    report.setSent(burst);
  }

  it('reports speed and remaining time, smoothed', () => {
    const { report, last } = watch();
    begin(report);
    assert.equal(last().bytesPerSecond, 0);
    assert.equal(last().remainingMs, undefined);
    nowMs += 1000;
    report.setSent(0.1);
    assert.equal(Math.round(last().bytesPerSecond), 100);
    assert.equal(Math.round(last().remainingMs ?? 0), 9000);
    nowMs += 1000;
    report.setSent(0.5);
    const { bytesPerSecond, remainingMs = 0 } = last();
    assert(bytesPerSecond > 150 && bytesPerSecond < 250, `${bytesPerSecond} between 100 and 400`);
    assert.equal(Math.round(remainingMs), Math.round((500 / bytesPerSecond) * 1000));
  });

  it('weighs a new speed by how long it held, against three seconds', () => {
    const { report, last } = watch();
    begin(report);
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
    begin(report);
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

  it('does not count the burst that fills the buffers of the kernel', () => {
    const { report, last } = watch();
    begin(report, 0.5);
    assert.equal(last().bytesPerSecond, 0);
    assert.equal(last().remainingMs, undefined);
    nowMs += 1000;
    report.setSent(0.6);
    assert.equal(last().bytesPerSecond, 100);
  });

  it('starts measuring again with each attempt', () => {
    const { report, last } = watch();
    report.startAttempt();
    report.setSent(0.5);
    nowMs += 60_000;
    begin(report);
    assert.equal(last().bytesPerSecond, 0);
    nowMs += 1000;
    report.setSent(0.1);
    assert.equal(last().bytesPerSecond, 100);
  });

  it('lowers the speed of a silent upload, and says when it has stalled', () => {
    const { report, last, all } = watch();
    begin(report);
    nowMs += 1000;
    report.setSent(0.5);
    assert.equal(last().bytesPerSecond, 500);
    tick(1000);
    assert.equal(last().bytesPerSecond, 500 - 500 / 4);
    assert(!last().isStalled);
    for (let second = 0; second < 4; second += 1) tick(1000);
    assert(last().isStalled);
    assert.equal(last().bytesPerSecond, 0);
    assert.equal(last().remainingMs, undefined);
    tick(200);
    report.setSent(0.6);
    assert(!last().isStalled);
    const count = all.length;
    report.stop();
    tick(10_000);
    assert.equal(all.length, count, 'a stopped tracker is silent');
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

  it('clears the reason for waiting once it continues', () => {
    const { report, last } = watch();
    report.update({ phase: 'waiting', waitingFor: 'BUSY', retryAtMs: 5 });
    assert.equal(last().waitingFor, 'BUSY');
    report.startAttempt();
    assert.equal(last().waitingFor, undefined);
    assert.equal(last().retryAtMs, undefined);
  });
});
