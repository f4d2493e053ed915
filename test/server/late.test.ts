import assert from 'node:assert/strict';
import { createLate } from '../../server/late.ts';

describe('a handler that is loaded late', () => {
  it('is made when it is called first, and once', async () => {
    let made = 0;
    const calls: string[] = [];
    const late = createLate(async () => {
      made += 1;
      return (call: string) => calls.push(call);
    });
    assert.equal(made, 0);
    await Promise.all([late.handler('a'), late.handler('b'), late.load()]);
    late.handler('c');
    assert.deepEqual(calls, ['a', 'b', 'c']);
    assert.equal(made, 1);
  });

  it('fails whoever waits for it when it can not be made', async () => {
    const late = createLate(async (): Promise<() => void> => {
      throw new Error('no such module');
    });
    await assert.rejects(late.load(), { message: 'no such module' });
    await assert.rejects(async () => late.handler(), { message: 'no such module' });
  });
});
