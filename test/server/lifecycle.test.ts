import assert from 'node:assert/strict';
import { Lifecycle } from '../../server/lifecycle.ts';

describe('the lifecycle', () => {
  it('goes from starting to ready to draining, and never back', () => {
    const lifecycle = new Lifecycle();
    assert.deepEqual(lifecycle.reasons(), ['starting']);
    lifecycle.markReady();
    assert.deepEqual(lifecycle.reasons(), []);
    lifecycle.markDraining();
    lifecycle.markReady();
    assert.equal(lifecycle.phase, 'draining');
    assert.deepEqual(lifecycle.reasons(), ['draining']);
  });

  it('is not ready while something it depends on is down', () => {
    const lifecycle = new Lifecycle();
    let reason: string | null = 'redis does not answer';
    lifecycle.addCheck(() => reason);
    lifecycle.addCheck(() => null);
    assert.deepEqual(lifecycle.reasons(), ['starting', 'redis does not answer']);
    lifecycle.markReady();
    assert.deepEqual(lifecycle.reasons(), ['redis does not answer']);
    reason = null;
    assert.deepEqual(lifecycle.reasons(), []);
  });
});
