import assert from 'node:assert/strict';
import { ChunkList } from '../../../server/http/chunk-list.ts';

describe('ChunkList', () => {
  it('gives back every byte in order, however they came', () => {
    const list = new ChunkList();
    const sent: Buffer[] = [];
    for (let size = 0; size < 6_000; size += 37) {
      const chunk = Buffer.alloc(size, size % 251);
      sent.push(chunk);
      list.push(chunk);
    }
    assert.equal(list.bytes, Buffer.concat(sent).length);
    assert(Buffer.concat(list.take()).equals(Buffer.concat(sent)));
    assert.equal(list.bytes, 0);
    assert.deepEqual(list.take(), []);
  });

  it('keeps a body of single bytes in few buffers', () => {
    const list = new ChunkList();
    for (let index = 0; index < 100_000; index++) list.push(Buffer.from([index & 0xff]));
    const chunks = list.take();
    assert(chunks.length <= 8, `${chunks.length} buffers`);
    assert.equal(Buffer.concat(chunks)[70_001], 70_001 & 0xff);
  });

  it('writes into nothing that it has given away', () => {
    const list = new ChunkList();
    list.push(Buffer.from('first'));
    const [first] = list.take();
    list.push(Buffer.from('other'));
    assert.equal(String(first), 'first');
  });
});
