import assert from 'node:assert/strict';
import { Ending } from '../../../server/http/ending.ts';

describe('an ending', () => {
  it('calls its listeners once, in their order, but not those that were taken back', () => {
    const ending = new Ending();
    const calls: string[] = [];
    ending.onEnd(() => calls.push('first'));
    const forget = ending.onEnd(() => calls.push('forgotten'));
    ending.onEnd(() => calls.push('last'));
    forget();
    forget();
    assert.equal(ending.isOver, false);
    ending.throwIfOver();
    ending.end();
    ending.end();
    assert.deepEqual(calls, ['first', 'last']);
    assert.equal(ending.isOver, true);
    assert.throws(() => ending.throwIfOver(), { name: 'AbortError' });
  });

  it('calls at once who asks when it has come', () => {
    const ending = new Ending();
    ending.end();
    let calls = 0;
    const forget = ending.onEnd(() => {
      calls += 1;
    });
    forget();
    assert.equal(calls, 1);
  });

  it('has a signal that says the same, asked for before or after', () => {
    const before = new Ending();
    const { signal } = before;
    assert.equal(signal.aborted, false);
    before.end();
    assert(signal.aborted);
    const after = new Ending();
    after.end();
    assert(after.signal.aborted);
  });
});
