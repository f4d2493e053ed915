import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PassThrough } from 'node:stream';
import { NOT_ASSESSED } from '../../../server/delivery/assess.ts';
import { appError } from '../../../server/errors/app-error.ts';
import type { LogFields } from '../../../server/http/log-fields.ts';
import { ContentUpload } from '../../../server/uploads/content.ts';
import type { Ticket } from '../../../server/uploads/tickets.ts';
import { mp4 } from '../../helpers/multipart.ts';
import { createTestServer, type TestServer } from '../../helpers/test-server.ts';
import { within } from '../../helpers/within.ts';

describe('the content of a direct upload on its way to storage', () => {
  let testServer: TestServer;
  let storage: Server;
  /** What storage received of each object, and whether it was whole. */
  let objects: { content: Buffer; isWhole: boolean }[];
  /** When storage begins to read. */
  let isReading: Promise<void>;

  before(async () => {
    testServer = await createTestServer();
    storage = createServer(async (req, res: ServerResponse) => {
      const chunks: Buffer[] = [];
      const object = { content: Buffer.alloc(0), isWhole: false };
      objects.push(object);
      await isReading;
      req.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        object.content = Buffer.concat(chunks);
      });
      req.once('end', () => {
        object.isWhole = true;
        res.end();
      });
    });
    await once(storage.listen(0, '127.0.0.1'), 'listening');
  });
  beforeEach(() => {
    objects = [];
    isReading = Promise.resolve();
  });
  after(async () => {
    storage.closeAllConnections();
    storage.close();
    await testServer[Symbol.asyncDispose]();
  });

  function begin(ticket: Partial<Ticket> = {}, log: LogFields = {}) {
    const whole: Ticket = {
      client: 'c',
      locationId: 'l',
      conversationId: 'c',
      contactId: null,
      uploadId: 'u',
      filePath: 'a.mp4',
      uploadUrl: `http://127.0.0.1:${(storage.address() as AddressInfo).port}/a.mp4`,
      filename: 'film.mp4',
      contentType: 'video/mp4',
      channel: 'SMS',
      delivery: NOT_ASSESSED,
      fileSize: null,
      maxFileSize: 1_000_000,
      expiresAt: 0,
      ...ticket,
    };
    const source = new PassThrough({ highWaterMark: 1 });
    const upload = new ContentUpload(testServer.server.context.uploads, whole, null, log);
    upload.receive(source);
    return { source, upload };
  }

  it('arrives as it came, however it was cut', async () => {
    const film = mp4(300_000);
    for (const pieceBytes of [1_000, 4_100, 65_536, 300_000]) {
      const log: LogFields = {};
      const { source, upload } = begin({}, log);
      for (let at = 0; at < film.length; at += pieceBytes) source.write(film.subarray(at, at + pieceBytes));
      source.end();
      await within(upload.stored, 'it is stored');
      assert(objects.at(-1)?.isWhole);
      assert(objects.at(-1)?.content.equals(mp4(300_000)));
      assert.equal(log.bytes, film.length);
    }
  });

  for (const fileSize of [null, 300_000]) {
    it(`may have exactly the limit, with ${fileSize === null ? 'no' : 'a'} declared size`, async () => {
      const { source, upload } = begin({ maxFileSize: 300_000, fileSize });
      source.end(mp4(300_000));
      await within(upload.stored, 'it is stored');
      assert.equal(objects[0]?.content.length, 300_000);
    });
  }

  for (const [what, ticket, code] of [
    ['larger than the limit', { maxFileSize: 299_999 }, 'FILE_TOO_LARGE'],
    ['longer than declared', { fileSize: 299_999 }, 'SIZE_MISMATCH'],
    ['shorter than declared', { fileSize: 300_001 }, 'SIZE_MISMATCH'],
  ] as const) {
    it(`is never whole in storage when it is ${what}`, async () => {
      const { source, upload } = begin(ticket);
      const film = mp4(300_000);
      for (let at = 0; at < film.length; at += 50_000) source.write(film.subarray(at, at + 50_000));
      source.end();
      await assert.rejects(within(upload.stored, 'it is rejected'), { code });
      assert(objects.every(({ isWhole }) => !isWhole));
    });
  }

  it('is not sent at all before its leading bytes are checked', async () => {
    const { source, upload } = begin();
    source.end(Buffer.alloc(100_000, 'x'));
    await assert.rejects(within(upload.stored, 'it is rejected'), { code: 'TYPE_MISMATCH' });
    assert.deepEqual(objects, []);
  });

  it('holds its sender up while storage takes nothing', async () => {
    const { promise, resolve: read } = Promise.withResolvers<void>();
    isReading = promise;
    const { source, upload } = begin({ maxFileSize: 64_000_000 });
    const film = mp4(48_000_000);
    let sent = 0;
    while (sent < film.length && !(await isStill(() => source.writableNeedDrain, 200))) {
      source.write(film.subarray(sent, sent + 65_536));
      sent += 65_536;
    }
    assert(sent < film.length, 'the sender could send all of it');
    read();
    await within(once(source, 'drain'), 'the sender goes on');
    upload.fail(appError('INTERNAL'));
    await assert.rejects(upload.stored, { code: 'INTERNAL' });
  });

  it('settles once, lets its source run out, and ends the wait for leading bytes', async () => {
    const { source, upload } = begin();
    source.write('short');
    upload.fail(appError('REQUEST_TIMEOUT'));
    upload.fail(appError('INTERNAL'));
    await assert.rejects(upload.stored, { code: 'REQUEST_TIMEOUT' });
    source.end(mp4(50_000));
    await within(once(source, 'end'), 'the source has run out');
    assert.deepEqual(objects, []);
  });
});

/** Whether `condition` holds for so many turns of the event loop. */
async function isStill(condition: () => boolean, turns: number): Promise<boolean> {
  for (let turn = 0; turn < turns; turn += 1) {
    if (!condition()) return false;
    await new Promise((resolve) => setImmediate(resolve));
  }
  return true;
}
