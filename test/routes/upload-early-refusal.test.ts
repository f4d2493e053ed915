import assert from 'node:assert/strict';
import http from 'node:http';
import { Readable } from 'node:stream';
import { createHouse, type House } from '../helpers/house.ts';
import { closing, encodeForm, FORM_TYPE, fixture, partHead } from '../helpers/multipart.ts';
import { beginUpload, connectTo } from '../helpers/raw-caller.ts';
import { type AnswerBody, filePart, textParts } from '../helpers/send-upload.ts';

const MIB = 1024 * 1024;
const TOTAL = 50 * MIB;
const WHATSAPP = { channel: 'WHATSAPP' };

/** The beginning of a form: the fields, and a file that is not what its name says. */
function badOpening(house: House): Buffer {
  return Buffer.concat([
    encodeForm(textParts({ ...house.fields, ...WHATSAPP })).subarray(0, -closing().length),
    partHead(filePart('report.pdf', '', 'application/pdf')),
    fixture('program.exe'),
    Buffer.alloc(8 * 1024, 0x90),
  ]);
}

/** The opening and then the rest of 50 MiB, as a sender makes them who never looks at the answer. */
function* badBody(house: House): Generator<Buffer> {
  const opening = badOpening(house);
  yield opening;
  const piece = Buffer.alloc(64 * 1024, 0x41);
  for (let sent = opening.length; sent < TOTAL; ) {
    const next = piece.subarray(0, TOTAL - sent);
    sent += next.length;
    yield next;
  }
}

describe('an upload that is refused while its caller is still sending', () => {
  let house: House;
  beforeEach(async () => {
    house = await createHouse();
  });
  afterEach(() => house[Symbol.asyncDispose]());

  for (const query of ['', '?mode=forward', '?mode=direct', '?mode=relay']) {
    it(`is answered at once, before more is sent (${query || 'auto'})`, async () => {
      using caller = await beginUpload(house, TOTAL, [], query);
      await caller.send(badOpening(house));
      const answer = await caller.answer();
      assert.equal(answer.status, 415);
      assert.equal(answer.body.code, 'TYPE_MISMATCH');
      assert.equal(answer.headers['connection'], 'close');
      assert.equal(house.sandbox.requests.length, 0);
      caller.leave();
      await house.assertTidy();
    });
  }

  it('is refused for its size before any of it has come, where only forwarding is wanted', async () => {
    const declared = { ...house.fields, ...WHATSAPP, fileSize: String(TOTAL) };
    for (const [fields, length] of [
      [{ ...house.fields, ...WHATSAPP }, TOTAL],
      [declared, null],
    ] as const) {
      using caller = await beginUpload(house, length, [], '?mode=forward');
      const opening = encodeForm(textParts(fields)).subarray(0, -closing().length);
      const head = partHead(filePart('film.mp4', ''));
      const bytes = Buffer.concat([opening, head]);
      await caller.send(length === null ? `${bytes.length.toString(16)}\r\n${bytes}\r\n` : bytes);
      const { status, body } = await caller.answer();
      assert.equal(status, 413);
      assert.equal(body.code, 'FILE_TOO_LARGE');
      assert.deepEqual(body.details, { limit: 5 * MIB, channel: 'WHATSAPP', use: 'direct' });
      caller.leave();
    }
    await house.assertTidy();
  });

  for (const headers of [[], ['Connection: close']]) {
    it(`is read to its end, then its connection is closed (${headers[0] ?? 'keep-alive'})`, async () => {
      using caller = await beginUpload(house, TOTAL, headers);
      for (const piece of badBody(house)) {
        assert(!caller.socket.destroyed, 'the connection ended before the body did');
        await caller.send(piece);
      }
      await caller.closed;
      assert.equal((await caller.answer()).status, 415);
      const [line] = house.log.entries.filter((entry) => entry['msg'] === 'request');
      assert((Number(line?.['bytesIn']) || 0) < 1 * MIB, 'the response did not wait for the body');
      await house.assertTidy();
    });
  }

  it('does not handle what is pipelined behind it', async () => {
    const opening = badOpening(house);
    using caller = await beginUpload(house, opening.length + 1_000);
    await caller.send(opening);
    assert.equal((await caller.answer()).status, 415);
    await caller.send(
      Buffer.concat([Buffer.alloc(1_000), Buffer.from('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n')]),
    );
    await caller.closed;
    assert(!caller.received.includes('HTTP/1.1 200'), caller.received);
    await house.assertTidy();
  });

  it('leaves a client of HTTP/1.0 its response and its whole body', async () => {
    using caller = await connectTo(house);
    const head = [
      'POST /api/messages/upload HTTP/1.0',
      `Content-Type: ${FORM_TYPE}`,
      `Content-Length: ${TOTAL}`,
    ];
    await caller.send(`${head.join('\r\n')}\r\n\r\n`);
    for (const piece of badBody(house)) {
      assert(!caller.socket.destroyed, 'the connection ended before the body did');
      await caller.send(piece);
    }
    await caller.closed;
    assert.equal((await caller.answer()).body.code, 'TYPE_MISMATCH');
    await house.assertTidy();
  });

  it('has an answer that fetch can read', async () => {
    const response = await fetch(`${house.api}/messages/upload`, {
      method: 'POST',
      headers: { 'Content-Type': FORM_TYPE },
      body: Readable.toWeb(Readable.from(badBody(house))) as ReadableStream<Uint8Array>,
      duplex: 'half',
    } as RequestInit);
    assert.equal(response.status, 415);
    assert.equal(((await response.json()) as AnswerBody).code, 'TYPE_MISMATCH');
    await house.assertTidy();
  });

  it('has an answer that http.request can read', async () => {
    const { promise, resolve, reject } = Promise.withResolvers<[number, string]>();
    const req = http.request(
      `${house.api}/messages/upload`,
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
    Readable.from(badBody(house)).pipe(req);
    const [status, text] = await promise;
    assert.equal(status, 415);
    assert.equal((JSON.parse(text) as AnswerBody).code, 'TYPE_MISMATCH');
    req.destroy();
    await house.assertTidy();
  });

  it('frees its slot at once, while its connection lingers', async () => {
    using caller = await beginUpload(house, TOTAL);
    await caller.send(badOpening(house));
    await caller.answer();
    assert.equal(house.server.context.lingering.count, 1);
    await house.assertTidy();
    assert.equal(caller.socket.destroyed, false);
  });

  it('can be refused for any later reason too, at the byte that shows it', async () => {
    const fields = encodeForm(textParts(house.fields)).subarray(0, -closing().length);
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
      using caller = await beginUpload(house, TOTAL);
      await caller.send(opening);
      assert.equal((await caller.answer()).body.code, code);
    }
    await house.assertTidy();
  });
});
