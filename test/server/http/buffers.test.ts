import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { BufferList, joinSmallChunks } from '../../../server/http/buffers.ts';
import { type Exchange, openExchange } from './exchange.ts';

const CHUNKED = 'POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n';

interface Joined extends Exchange {
  /** How often the sender was found too tiny. */
  verdicts(): number;
}

/** A request whose small chunks are joined from its first byte; paused when it comes. */
async function joined(opening: string): Promise<Joined> {
  const exchange = await openExchange(opening);
  let verdicts = 0;
  joinSmallChunks(exchange.req, () => {
    verdicts += 1;
  });
  exchange.req.pause();
  return { ...exchange, verdicts: () => verdicts };
}

/** `content` with every `size` bytes in a separate chunk. */
function inChunks(content: string, size: number): string {
  return content.replace(
    new RegExp(`[^]{1,${size}}`, 'g'),
    (part) => `${part.length.toString(16)}\r\n${part}\r\n`,
  );
}

/** Reads to the end what comes; how it was cut shows in the length of the list. */
async function readAll(req: IncomingMessage): Promise<Buffer[]> {
  const chunks: Buffer[] = [];
  req.on('data', (chunk: Buffer) => chunks.push(chunk));
  req.resume();
  await once(req, 'end');
  return chunks;
}

const TEXT = Array.from({ length: 10_000 }, (_, index) => `line ${index}\n`).join('');

describe('the small chunks of a body', () => {
  it('wait together while the request is held back, and come in their order', async () => {
    await using body = await joined(CHUNKED);
    body.wire.send(`${inChunks(TEXT, 10)}0\r\n\r\n`);
    while (body.req.readableLength < 60_000) await new Promise((resolve) => setImmediate(resolve));
    const chunks = await readAll(body.req);
    assert.equal(Buffer.concat(chunks).toString(), TEXT);
    assert(chunks.length < 40, `${chunks.length} buffers for ${TEXT.length} bytes`);
  });

  it('keep their place among large ones', async () => {
    await using body = await joined(CHUNKED);
    const large = 'L'.repeat(3_000);
    const content = `${large}abc${large}d${large}`;
    body.wire.send(
      `${inChunks(large, 3_000)}${inChunks('abc', 1)}${inChunks(large, 3_000)}${inChunks('d', 1)}` +
        `${inChunks(large, 3_000)}0\r\n\r\n`,
    );
    assert.equal(Buffer.concat(await readAll(body.req)).toString(), content);
  });

  it('are handed on at once when nothing holds the request back', async () => {
    for (const [opening, inFrame] of [
      [CHUNKED, (text: string) => inChunks(text, 1)],
      ['POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 100\r\n\r\n', (text: string) => text],
    ] as const) {
      await using body = await joined(opening);
      body.req.resume();
      for (const letter of ['a', 'b', 'c']) {
        const came = once(body.req, 'data');
        body.wire.send(inFrame(letter));
        assert.equal(String((await came)[0]), letter);
      }
    }
  });

  it('reach a request that is paused and resumed again and again', async () => {
    await using body = await joined(CHUNKED);
    const chunks: Buffer[] = [];
    body.req.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      body.req.pause();
      setImmediate(() => body.req.resume());
    });
    body.req.resume();
    body.wire.send(`${inChunks(TEXT, 10)}${inChunks(TEXT, 5_000)}${inChunks(TEXT, 20)}0\r\n\r\n`);
    await once(body.req, 'end');
    assert.equal(Buffer.concat(chunks).toString(), TEXT.repeat(3));
  });

  it('are told of when they stay tiny, once, and not when they are merely small', async () => {
    for (const [size, verdicts] of [
      [1, 1],
      [7, 1],
      [12, 0], // a read of the socket may cut one in two
      [100, 0],
    ] as const) {
      await using body = await joined(CHUNKED);
      body.wire.send(`${inChunks('x'.repeat(size * 40_000), size)}0\r\n\r\n`);
      await readAll(body.req);
      assert.equal(body.verdicts(), verdicts, `${size} bytes each`);
    }
  });
});

describe('BufferList', () => {
  it('gives back every byte in order, however they came', () => {
    const list = new BufferList();
    const sent: Buffer[] = [];
    for (let size = 0; size < 6_000; size += 37) {
      const chunk = Buffer.alloc(size, size % 251);
      sent.push(chunk);
      list.push(chunk);
    }
    assert.equal(list.bytes, Buffer.concat(sent).length);
    assert(Buffer.concat(list.drain()).equals(Buffer.concat(sent)));
    assert.equal(list.bytes, 0);
    assert.deepEqual(list.drain(), []);
  });

  it('keeps a body of single bytes in few buffers', () => {
    const list = new BufferList();
    for (let index = 0; index < 100_000; index++) list.push(Buffer.from([index & 0xff]));
    const chunks = list.drain();
    assert(chunks.length <= 8, `${chunks.length} buffers`);
    assert.equal(Buffer.concat(chunks)[70_001], 70_001 & 0xff);
  });

  it('writes into nothing that it has given away', () => {
    const list = new BufferList();
    list.push(Buffer.from('first'));
    const [first] = list.drain();
    list.push(Buffer.from('other'));
    assert.equal(String(first), 'first');
  });
});
