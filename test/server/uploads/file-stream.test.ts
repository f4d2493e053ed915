import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { LEADING_BYTES } from '../../../server/file-types/file-types.ts';
import { FileStream } from '../../../server/uploads/file-stream.ts';

const KIB = 1024;
const idle = (): void => {};

/** Reads a whole stream as uploads do: the leading bytes, a pause for their check, and the rest. */
async function readAll(stream: FileStream, verdict: () => Promise<unknown>): Promise<Buffer> {
  const { signal } = new AbortController();
  const { leadingBytes, isWhole } = await stream.readStart(signal);
  await verdict();
  const chunks = [leadingBytes];
  const take = (chunk: Buffer): Promise<void> | undefined => {
    chunks.push(chunk);
    return chunks.length % 2 === 0 ? verdict().then(() => {}) : undefined;
  };
  if (!isWhole) await stream.pump(take, signal);
  return Buffer.concat(chunks);
}

const turnOfLoop = () => new Promise((resolve) => setImmediate(resolve));
const turnOfQueue = () => Promise.resolve();

describe('FileStream', () => {
  const sizes = [0, 1, LEADING_BYTES - 1, LEADING_BYTES, LEADING_BYTES + 1, 60_000, 300_000];
  for (const [what, verdict] of Object.entries({ turnOfLoop, turnOfQueue })) {
    it(`loses no byte and no end, whatever comes while the verdict is awaited (${what})`, async () => {
      for (const size of sizes) {
        for (const piece of [size || 1, 1_000, LEADING_BYTES]) {
          const content = Buffer.alloc(size, 'abcdefg');
          const source = new PassThrough();
          const read = readAll(FileStream.of(source), verdict);
          for (let at = 0; at < size; at += piece) source.write(content.subarray(at, at + piece));
          source.end();
          assert.deepEqual(await read, content);
        }
      }
    });
  }

  it('has the sender wait while too much waits, and tells when more is wanted', async () => {
    let wanted = 0;
    const stream = new FileStream(() => {
      wanted += 1;
    });
    assert(stream.push(Buffer.alloc(63 * KIB)));
    assert(!stream.push(Buffer.alloc(KIB)));
    assert.equal(stream.waitingBytes, 64 * KIB);
    assert.equal(wanted, 0);
    const { leadingBytes } = await stream.readStart(new AbortController().signal);
    assert.equal(leadingBytes.length, 63 * KIB);
    assert.equal(wanted, 0, 'what waits is wanted first');
    const rest: Buffer[] = [];
    const read = stream.pump((chunk) => void rest.push(chunk), new AbortController().signal);
    assert.equal(wanted, 1);
    assert(stream.push(Buffer.alloc(KIB)), 'what is read at once does not wait');
    stream.end();
    await read;
    assert.equal(Buffer.concat(rest).length, 2 * KIB);
  });

  it('hands on nothing while the taker asks to wait, and keeps the order', async () => {
    const stream = new FileStream(idle);
    const gate = Promise.withResolvers<void>();
    const taken: string[] = [];
    const read = stream.pump((chunk) => {
      taken.push(chunk.toString());
      return taken.length === 1 ? gate.promise : undefined;
    }, new AbortController().signal);
    for (const text of ['a', 'b', 'c']) stream.push(Buffer.from(text));
    stream.end();
    assert.deepEqual(taken, ['a']);
    gate.resolve();
    await read;
    assert.deepEqual(taken, ['a', 'b', 'c']);
  });

  it('ends with what the taker throws, at once or later', async () => {
    const { signal } = new AbortController();
    const reject = (): undefined => {
      throw new RangeError('enough');
    };
    for (const take of [reject, () => Promise.reject(new RangeError('enough'))]) {
      const stream = new FileStream(idle);
      stream.push(Buffer.from('x'));
      await assert.rejects(stream.pump(take, signal), RangeError);
    }
  });

  it('ends when the upload has ended, before or while it is read, and hands on nothing then', async () => {
    for (const endsFirst of [true, false]) {
      for (const step of ['readHead', 'pump'] as const) {
        const stream = new FileStream(idle);
        const upload = new AbortController();
        let taken = 0;
        const take = (): undefined => {
          taken += 1;
        };
        if (endsFirst) upload.abort();
        const read = step === 'pump' ? stream.pump(take, upload.signal) : stream.readStart(upload.signal);
        upload.abort();
        stream.push(Buffer.alloc(LEADING_BYTES));
        stream.end();
        await assert.rejects(read, { code: 'UPSTREAM_ABORTED' });
        assert.equal(taken, 0);
      }
    }
  });

  it('lets pass unread what was discarded, without an end for who was reading', async () => {
    let wanted = 0;
    const stream = new FileStream(() => {
      wanted += 1;
    });
    stream.push(Buffer.alloc(100 * KIB));
    let isRead = false;
    void stream
      .pump(() => new Promise(() => {}), new AbortController().signal)
      .then(() => {
        isRead = true;
      });
    stream.discard();
    assert.equal(stream.waitingBytes, 0);
    assert(wanted > 0);
    assert(stream.push(Buffer.alloc(100 * KIB)));
    stream.end();
    await turnOfLoop();
    assert(!isRead);
  });
});
