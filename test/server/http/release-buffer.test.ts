import assert from 'node:assert/strict';
import { releaseBuffer, releaseMemoryOf } from '../../../server/http/buffers.ts';

describe('releaseBuffer', () => {
  it('empties a chunk that has its memory for itself', () => {
    const chunk = Buffer.alloc(64 * 1024, 'a');
    const view = chunk.subarray(10);
    releaseBuffer(chunk);
    assert.equal(chunk.length, 0);
    assert.equal(view.length, 0);
  });

  it('leaves parts of something larger alone', () => {
    const whole = Buffer.alloc(64 * 1024, 'a');
    for (const part of [whole.subarray(1), whole.subarray(0, -1), whole.subarray(0, 20_000)])
      releaseBuffer(part);
    assert.equal(whole.toString(), 'a'.repeat(64 * 1024));
  });

  it('leaves small buffers alone, which share their memory', () => {
    const [one, other] = [Buffer.from('one'), Buffer.from('other')];
    releaseBuffer(one);
    releaseBuffer(Buffer.allocUnsafe(4_000));
    releaseBuffer(Buffer.alloc(0));
    assert.equal(`${one} ${other}`, 'one other');
  });

  it('may be called again', () => {
    const chunk = Buffer.alloc(64 * 1024);
    releaseBuffer(chunk);
    releaseBuffer(chunk);
  });
});

describe('releaseMemoryOf', () => {
  it('frees the whole chunk by any part of it, once or more', () => {
    const whole = Buffer.allocUnsafeSlow(20_000);
    const part = whole.subarray(100, 200);
    releaseMemoryOf(part);
    releaseMemoryOf(part);
    assert.equal(whole.length, 0);
  });

  it('leaves what may be a part of a block of Node', () => {
    const one = Buffer.from('some text');
    releaseMemoryOf(one);
    assert.equal(one.toString(), 'some text');
  });
});
