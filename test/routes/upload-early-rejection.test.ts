import assert from 'node:assert/strict';
import http from 'node:http';
import { Readable } from 'node:stream';
import { closing, encodeForm, FORM_TYPE, fixture, partHead } from '../helpers/multipart.ts';
import { beginUpload, connectTo } from '../helpers/raw-client.ts';
import { filePart, type ResponseBody, textParts } from '../helpers/send-upload.ts';
import { createTestServer, type TestServer } from '../helpers/test-server.ts';

const MIB = 1024 * 1024;
const TOTAL = 50 * MIB;
const WHATSAPP = { channel: 'WHATSAPP' };

/** The beginning of a form: the fields, and a file that is not what its name says. */
function badOpening(testServer: TestServer): Buffer {
  return Buffer.concat([
    encodeForm(textParts({ ...testServer.fields, ...WHATSAPP })).subarray(0, -closing().length),
    partHead(filePart('report.pdf', '', 'application/pdf')),
    fixture('program.exe'),
    Buffer.alloc(8 * 1024, 0x90),
  ]);
}

/** The opening and then the rest of 50 MiB, as a sender makes them who never looks at the response. */
function* badBody(testServer: TestServer): Generator<Buffer> {
  const opening = badOpening(testServer);
  yield opening;
  const piece = Buffer.alloc(64 * 1024, 0x41);
  for (let sent = opening.length; sent < TOTAL; ) {
    const next = piece.subarray(0, TOTAL - sent);
    sent += next.length;
    yield next;
  }
}

describe('an upload that is rejected while its client is still sending', () => {
  let testServer: TestServer;
  beforeEach(async () => {
    testServer = await createTestServer();
  });
  afterEach(() => testServer[Symbol.asyncDispose]());

  for (const query of ['', '?mode=forward', '?mode=direct', '?mode=relay']) {
    it(`gets its response at once, before more is sent (${query || 'auto'})`, async () => {
      using client = await beginUpload(testServer, TOTAL, [], query);
      await client.send(badOpening(testServer));
      const response = await client.response();
      assert.equal(response.status, 415);
      assert.equal(response.body.code, 'TYPE_MISMATCH');
      assert.equal(response.headers['connection'], 'close');
      assert.equal(testServer.sandbox.requests.length, 0);
      client.leave();
      await testServer.assertClean();
    });
  }

  it('is rejected for its size before any of it has come, where only forwarding is wanted', async () => {
    const declared = { ...testServer.fields, ...WHATSAPP, fileSize: String(TOTAL) };
    for (const [fields, length] of [
      [{ ...testServer.fields, ...WHATSAPP }, TOTAL],
      [declared, null],
    ] as const) {
      using client = await beginUpload(testServer, length, [], '?mode=forward');
      const opening = encodeForm(textParts(fields)).subarray(0, -closing().length);
      const head = partHead(filePart('film.mp4', ''));
      const bytes = Buffer.concat([opening, head]);
      await client.send(length === null ? `${bytes.length.toString(16)}\r\n${bytes}\r\n` : bytes);
      const { status, body } = await client.response();
      assert.equal(status, 413);
      assert.equal(body.code, 'FILE_TOO_LARGE');
      assert.deepEqual(body.details, { limit: 5 * MIB, channel: 'WHATSAPP', use: 'direct' });
      client.leave();
    }
    await testServer.assertClean();
  });

  for (const headers of [[], ['Connection: close']]) {
    it(`is read to its end, then its connection is closed (${headers[0] ?? 'keep-alive'})`, async () => {
      using client = await beginUpload(testServer, TOTAL, headers);
      for (const piece of badBody(testServer)) {
        assert(!client.socket.destroyed, 'the connection ended before the body did');
        await client.send(piece);
      }
      await client.closed;
      assert.equal((await client.response()).status, 415);
      const [line] = testServer.log.entries.filter((entry) => entry['msg'] === 'request');
      assert((Number(line?.['bytesIn']) || 0) < 1 * MIB, 'the response did not wait for the body');
      await testServer.assertClean();
    });
  }

  it('does not handle what is pipelined behind it', async () => {
    const opening = badOpening(testServer);
    using client = await beginUpload(testServer, opening.length + 1_000);
    await client.send(opening);
    assert.equal((await client.response()).status, 415);
    await client.send(
      Buffer.concat([Buffer.alloc(1_000), Buffer.from('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n')]),
    );
    await client.closed;
    assert(!client.received.includes('HTTP/1.1 200'), client.received);
    await testServer.assertClean();
  });

  it('leaves a client of HTTP/1.0 its response and its whole body', async () => {
    using client = await connectTo(testServer);
    const head = [
      'POST /api/messages/upload HTTP/1.0',
      `Content-Type: ${FORM_TYPE}`,
      `Content-Length: ${TOTAL}`,
    ];
    await client.send(`${head.join('\r\n')}\r\n\r\n`);
    for (const piece of badBody(testServer)) {
      assert(!client.socket.destroyed, 'the connection ended before the body did');
      await client.send(piece);
    }
    await client.closed;
    assert.equal((await client.response()).body.code, 'TYPE_MISMATCH');
    await testServer.assertClean();
  });

  it('has a response that fetch can read', async () => {
    const response = await fetch(`${testServer.api}/messages/upload`, {
      method: 'POST',
      headers: { 'Content-Type': FORM_TYPE },
      body: Readable.toWeb(Readable.from(badBody(testServer))) as ReadableStream<Uint8Array>,
      duplex: 'half',
    } as RequestInit);
    assert.equal(response.status, 415);
    assert.equal(((await response.json()) as ResponseBody).code, 'TYPE_MISMATCH');
    await testServer.assertClean();
  });

  it('has a response that http.request can read', async () => {
    const { promise, resolve, reject } = Promise.withResolvers<[number, string]>();
    const req = http.request(
      `${testServer.api}/messages/upload`,
      { method: 'POST', agent: false, headers: { 'Content-Type': FORM_TYPE, 'Content-Length': TOTAL } },
      (res) => {
        res.setEncoding('utf8');
        let text = '';
        res.on('data', (chunk: string) => {
          text += chunk;
        });
        res.once('end', () => resolve([res.statusCode ?? 0, text]));
        res.once('error', reject);
      },
    );
    req.on('error', reject);
    Readable.from(badBody(testServer)).pipe(req);
    const [status, text] = await promise;
    assert.equal(status, 415);
    assert.equal((JSON.parse(text) as ResponseBody).code, 'TYPE_MISMATCH');
    req.destroy();
    await testServer.assertClean();
  });

  it('frees its slot at once, while its connection lingers', async () => {
    using client = await beginUpload(testServer, TOTAL);
    await client.send(badOpening(testServer));
    await client.response();
    assert.equal(testServer.server.context.lingering.count, 1);
    await testServer.assertClean();
    assert.equal(client.socket.destroyed, false);
  });

  it('can be rejected for any later reason too, at the byte that shows it', async () => {
    const fields = encodeForm(textParts(testServer.fields)).subarray(0, -closing().length);
    const cases: [Buffer, string][] = [
      [Buffer.concat([fields, partHead(filePart('tool.exe', ''))]), 'TYPE_NOT_ALLOWED'],
      [
        Buffer.concat([fields, partHead({ name: 'x', filename: 'a.png', content: '' })]),
        'UNEXPECTED_FILE_FIELD',
      ],
      [Buffer.from('nonsense'), 'BAD_MULTIPART'],
      [
        Buffer.concat([
          fields,
          partHead({ name: 'channel', content: '' }),
          Buffer.from('?\r\n--test-boundary\r\n'),
        ]),
        'INVALID_FIELD',
      ],
    ];
    for (const [opening, code] of cases) {
      using client = await beginUpload(testServer, TOTAL);
      await client.send(opening);
      assert.equal((await client.response()).body.code, code);
    }
    await testServer.assertClean();
  });
});
