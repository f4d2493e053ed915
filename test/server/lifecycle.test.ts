import assert from 'node:assert/strict';
import { Lifecycle, type Notice } from '../../server/lifecycle.ts';

const reasons = (lifecycle: Lifecycle): string[] => lifecycle.reasons().map(({ text }) => text);

describe('the lifecycle', () => {
  it('goes from starting to ready, stopping and draining, and never back', () => {
    const lifecycle = new Lifecycle();
    assert.deepEqual(reasons(lifecycle), ['starting']);
    lifecycle.markReady();
    assert.deepEqual(reasons(lifecycle), []);
    lifecycle.markStopping();
    lifecycle.markReady();
    assert.equal(lifecycle.phase, 'stopping');
    assert.deepEqual(reasons(lifecycle), ['draining']);
    lifecycle.markDraining();
    lifecycle.markStopping();
    assert.equal(lifecycle.phase, 'draining');
    assert.deepEqual(reasons(lifecycle), ['draining']);
  });

  it('is not ready while something it depends on is down', () => {
    const lifecycle = new Lifecycle();
    let reason: Notice | null = { text: 'the scanner is down', detail: 'clamd does not scan' };
    lifecycle.addCheck(() => reason);
    lifecycle.addCheck(() => null);
    assert.deepEqual(reasons(lifecycle), ['starting', 'the scanner is down']);
    lifecycle.markReady();
    assert.deepEqual(reasons(lifecycle), ['the scanner is down']);
    reason = null;
    assert.deepEqual(reasons(lifecycle), []);
  });
});
