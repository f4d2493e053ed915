import assert from 'node:assert/strict';
import { BodyReader } from '../../bench/upstream.ts';

const CONTENT = Buffer.from('a body with\r\n0\r\n\r\nin it, and more');

function chunked(sizes: readonly number[]): Buffer {
  let at = 0;
  const pieces = sizes.flatMap((size) => {
    const piece = CONTENT.subarray(at, at + size);
    at += size;
    return [Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n')];
  });
  return Buffer.concat([...pieces, Buffer.from('0\r\n\r\n')]);
}

describe('the body reader of the benchmark’s upstream', () => {
  it('reads a chunked body to its end and no further, wherever it is cut', () => {
    const wire = chunked([1, 12, 3, CONTENT.length - 16]);
    for (let cut = 0; cut <= wire.length; cut += 1) {
      const into: Buffer[] = [];
      const reader = new BodyReader('POST / HTTP/1.1\r\nTransfer-Encoding: chunked');
      const first = reader.take(wire.subarray(0, cut), into);
      assert.equal(first, cut === wire.length, `cut at ${cut}`);
      if (!first) assert.equal(reader.take(wire.subarray(cut), into), true, `cut at ${cut}`);
      assert.deepEqual(Buffer.concat(into), CONTENT);
      assert.equal(reader.bytes, CONTENT.length);
    }
  });

  it('reads a body of a known length', () => {
    const reader = new BodyReader(`POST / HTTP/1.1\r\nContent-Length: ${CONTENT.length}`);
    assert.equal(reader.take(CONTENT.subarray(0, -1), null), false);
    assert.equal(reader.take(CONTENT.subarray(-1), null), true);
    assert.equal(reader.bytes, CONTENT.length);
  });

  it('does not wait for a body that was not announced', () => {
    assert.equal(new BodyReader('GET / HTTP/1.1\r\nHost: a').take(Buffer.alloc(0), null), true);
  });
});
