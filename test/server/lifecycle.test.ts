import assert from 'node:assert/strict';
import { Lifecycle } from '../../server/lifecycle.ts';

describe('the lifecycle', () => {
  it('goes from starting to ready, stopping and draining, and never back', () => {
    const lifecycle = new Lifecycle();
    assert.deepEqual(lifecycle.reasons(), ['starting']);
    lifecycle.markReady();
    assert.deepEqual(lifecycle.reasons(), []);
    lifecycle.markStopping();
    lifecycle.markReady();
    assert.equal(lifecycle.phase, 'stopping');
    assert.deepEqual(lifecycle.reasons(), ['draining']);
    lifecycle.markDraining();
    lifecycle.markStopping();
    assert.equal(lifecycle.phase, 'draining');
    assert.deepEqual(lifecycle.reasons(), ['draining']);
  });

  it('is not ready while something it depends on is down', () => {
    const lifecycle = new Lifecycle();
    let reason: string | null = 'redis does not respond';
    lifecycle.addCheck(() => reason);
    lifecycle.addCheck(() => null);
    assert.deepEqual(lifecycle.reasons(), ['starting', 'redis does not respond']);
    lifecycle.markReady();
    assert.deepEqual(lifecycle.reasons(), ['redis does not respond']);
    reason = null;
    assert.deepEqual(lifecycle.reasons(), []);
  });
});
