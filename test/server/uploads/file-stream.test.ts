import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { HEAD_BYTES } from '../../../server/file-types/file-types.ts';
import { Ending } from '../../../server/http/ending.ts';
import { pump, readHead } from '../../../server/uploads/file-stream.ts';

/** Reads a whole stream as uploads do: its head, a pause for the verdict, and the rest. */
async function readAll(stream: PassThrough, verdict: () => Promise<unknown>): Promise<Buffer> {
  const over = new Ending();
  const { head, isWhole } = await readHead(stream, over);
  await verdict();
  const chunks = [head];
  if (!isWhole) {
    await pump(
      stream,
      (chunk) => {
        chunks.push(chunk);
        return chunks.length % 2 === 0 ? verdict().then(() => {}) : undefined;
      },
      over,
    );
  }
  return Buffer.concat(chunks);
}

const turnOfLoop = () => new Promise((resolve) => setImmediate(resolve));
const turnOfQueue = () => Promise.resolve();

describe('readHead and pump', () => {
  const sizes = [0, 1, HEAD_BYTES - 1, HEAD_BYTES, HEAD_BYTES + 1, 60_000, 300_000];
  for (const [what, verdict] of Object.entries({ turnOfLoop, turnOfQueue })) {
    it(`lose no byte and no end, whatever comes while the verdict is awaited (${what})`, async () => {
      for (const size of sizes) {
        for (const piece of [size || 1, 1_000, HEAD_BYTES]) {
          const content = Buffer.alloc(size, 'abcdefg');
          const stream = new PassThrough();
          const read = readAll(stream, verdict);
          for (let at = 0; at < size; at += piece) stream.write(content.subarray(at, at + piece));
          stream.end();
          assert.deepEqual(await read, content);
        }
      }
    });
  }

  it('end with what the taker throws', async () => {
    const stream = new PassThrough();
    stream.write('x');
    const over = new Ending();
    const refuse = (): undefined => {
      throw new RangeError('enough');
    };
    await assert.rejects(pump(stream, refuse, over), RangeError);
    const stream2 = new PassThrough();
    stream2.write('x');
    await assert.rejects(
      pump(stream2, () => Promise.reject(new RangeError('enough')), over),
      RangeError,
    );
  });

  it('end when the upload is over, before or while they wait, and listen no more', async () => {
    for (const abortsFirst of [true, false]) {
      const stream = new PassThrough();
      const over = new Ending();
      if (abortsFirst) over.end();
      const head = readHead(stream, over);
      const rest = pump(stream, () => undefined, over);
      over.end();
      await assert.rejects(head, { code: 'UPSTREAM_ABORTED' });
      await assert.rejects(rest, { code: 'UPSTREAM_ABORTED' });
      assert.equal(stream.listenerCount('data') + stream.listenerCount('end'), 0);
    }
  });
});
