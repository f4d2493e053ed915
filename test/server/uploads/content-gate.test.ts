import assert from 'node:assert/strict';
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { AppError } from '../../../server/errors/app-error.ts';
import { createTypePolicy } from '../../../server/file-types/file-types.ts';
import { ContentGate } from '../../../server/uploads/content-gate.ts';
import type { Ticket } from '../../../server/uploads/tickets.ts';
import { mp4 } from '../../helpers/multipart.ts';
import { within } from '../../helpers/within.ts';

const TICKET: Ticket = {
  client: 'c',
  locationId: 'l',
  conversationId: 'c',
  uploadId: 'u',
  filePath: 'a.mp4',
  uploadUrl: 'https://storage.googleapis.com/a.mp4',
  filename: 'film.mp4',
  contentType: 'video/mp4',
  channel: 'SMS',
  fileSize: null,
  maxFileSize: 1_000_000,
  expiresAt: 0,
};

interface Opened {
  readonly source: PassThrough;
  readonly gate: ContentGate;
  readonly rejected: Promise<AppError>;
  readonly blocked: boolean[];
}

function createGate(claim: Partial<Ticket> = {}): Opened {
  const source = new PassThrough();
  const blocked: boolean[] = [];
  const { promise: rejected, resolve } = Promise.withResolvers<AppError>();
  const gate = new ContentGate(source, { ...TICKET, ...claim }, createTypePolicy(['mp4', 'txt']), {
    onRejected: resolve,
    onBlocked: (isBlocked) => blocked.push(isBlocked),
  });
  return { source, gate, rejected, blocked };
}

function write(source: PassThrough, content: Buffer, pieceBytes = 50_000): void {
  for (let at = 0; at < content.length; at += pieceBytes) source.write(content.subarray(at, at + pieceBytes));
}

/** What comes out of a gate until it stops, without waiting for an end. */
function collect(gate: ContentGate): () => number {
  let bytes = 0;
  gate.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
  });
  return () => bytes;
}

describe('the gate before storage', () => {
  it('lets content through as it came, however it was cut', async () => {
    const film = mp4(300_000);
    for (const pieceBytes of [1_000, 4_100, 65_536, 300_000]) {
      const { source, gate } = createGate();
      write(source, film, pieceBytes);
      source.end();
      await within(gate.open(), 'the gate opens');
      assert((await within(buffer(gate), 'the content ends')).equals(film));
      assert.equal(gate.size, film.length);
    }
  });

  it('lets nothing through before the head is judged', async () => {
    const { source, gate } = createGate();
    source.end(Buffer.alloc(100_000, 'x'));
    const passed = collect(gate);
    await assert.rejects(gate.open(), (error) => error instanceof AppError && error.code === 'TYPE_MISMATCH');
    assert.equal(passed(), 0);
  });

  for (const fileSize of [null, 300_000]) {
    it(`lets a file of exactly the limit through, ${fileSize === null ? 'of no' : 'of'} declared size`, async () => {
      const { source, gate } = createGate({ maxFileSize: 300_000, fileSize });
      source.end(mp4(300_000));
      await gate.open();
      assert.equal((await within(buffer(gate), 'the content ends')).length, 300_000);
    });
  }

  for (const [what, claim, code] of [
    ['a file over the limit', { maxFileSize: 299_999 }, 'FILE_TOO_LARGE'],
    ['a file longer than declared', { fileSize: 299_999 }, 'SIZE_MISMATCH'],
    ['a file shorter than declared', { fileSize: 300_001 }, 'SIZE_MISMATCH'],
  ] as const) {
    it(`keeps the end of ${what}`, async () => {
      const { source, gate, rejected } = createGate(claim);
      write(source, mp4(300_000));
      source.end();
      await gate.open();
      const passed = collect(gate);
      assert.equal((await within(rejected, 'the gate rejects it')).code, code);
      assert(passed() < 300_000);
      assert(!gate.readableEnded);
      gate.destroy();
    });
  }

  it('holds its source up while storage takes nothing, and tells', async () => {
    const { source, gate, blocked } = createGate();
    const film = mp4(900_000);
    const flushed = new Promise<void>((resolve) => source.write(film.subarray(0, 4_200), () => resolve()));
    await within(Promise.all([gate.open(), flushed]), 'the gate opens');
    write(source, film.subarray(4_200));
    source.end();
    await new Promise((resolve) => setImmediate(resolve));
    assert(gate.size < film.length);
    assert.equal(blocked.at(-1), true);
    assert((await within(buffer(gate), 'the content ends')).equals(film));
  });

  it('is silent once it is destroyed, and lets its source run out', async () => {
    const { source, gate } = createGate();
    write(source, mp4(100_000));
    await gate.open();
    gate.destroy();
    source.end(mp4(50_000));
    await within(once(source, 'end'), 'the source has run out');
  });

  it('ends the wait for a head when it is destroyed', async () => {
    const { source, gate } = createGate();
    source.write('short');
    const opening = gate.open();
    gate.destroy();
    await assert.rejects(within(opening, 'the wait is over'), AppError);
  });
});
