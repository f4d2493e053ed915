import assert from 'node:assert/strict';
import { freeChunk, freeMemoryOf } from '../../../server/http/free-chunk.ts';

describe('freeChunk', () => {
  it('empties a chunk that has its memory for itself', () => {
    const chunk = Buffer.alloc(64 * 1024, 'a');
    const view = chunk.subarray(10);
    freeChunk(chunk);
    assert.equal(chunk.length, 0);
    assert.equal(view.length, 0);
  });

  it('leaves parts of something larger alone', () => {
    const whole = Buffer.alloc(64 * 1024, 'a');
    for (const part of [whole.subarray(1), whole.subarray(0, -1), whole.subarray(0, 20_000)]) freeChunk(part);
    assert.equal(whole.toString(), 'a'.repeat(64 * 1024));
  });

  it('leaves small buffers alone, which share their memory', () => {
    const [one, other] = [Buffer.from('one'), Buffer.from('other')];
    freeChunk(one);
    freeChunk(Buffer.allocUnsafe(4_000));
    freeChunk(Buffer.alloc(0));
    assert.equal(`${one} ${other}`, 'one other');
  });

  it('may be called again', () => {
    const chunk = Buffer.alloc(64 * 1024);
    freeChunk(chunk);
    freeChunk(chunk);
  });
});

describe('freeMemoryOf', () => {
  it('frees the whole chunk by any part of it, once or more', () => {
    const whole = Buffer.allocUnsafeSlow(20_000);
    const part = whole.subarray(100, 200);
    freeMemoryOf(part);
    freeMemoryOf(part);
    assert.equal(whole.length, 0);
  });

  it('leaves what may be a part of a block of Node', () => {
    const one = Buffer.from('some text');
    freeMemoryOf(one);
    assert.equal(one.toString(), 'some text');
  });
});
