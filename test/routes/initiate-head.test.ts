import assert from 'node:assert/strict';
import {
  assertRejected,
  fields,
  file,
  INITIATE_KEYS,
  initiate,
  jsonOf,
  type Reply,
  seen,
  sendForm,
} from '../helpers/direct-steps.ts';
import { encodeForm, fixture, mp4, type Part } from '../helpers/multipart.ts';
import { beginUpload } from '../helpers/raw-client.ts';
import { createTestServer, settled, type TestServer } from '../helpers/test-server.ts';

const LEADING_BYTES = 4_100;

describe('POST /messages/upload/initiate with the head of the file', () => {
  let testServer: TestServer;
  let conversationId: string;
  before(async () => {
    testServer = await createTestServer();
    conversationId = testServer.sandbox.conversationId;
  });
  beforeEach(() => testServer.sandbox.reset());
  after(() => testServer[Symbol.asyncDispose]());

  function send(...parts: readonly Part[]): Promise<Reply> {
    return sendForm(testServer, parts, { path: '/initiate' });
  }

  it('rejects a private file, on either side of the field', async () => {
    const secure = fields({ isSecureAttachment: 'true' });
    const head = file('film.mp4', mp4(LEADING_BYTES), 'video/mp4');
    for (const form of [
      [...secure, ...fields({ conversationId }), head],
      [...fields({ conversationId }), head, ...secure],
    ]) {
      assert.equal(assertRejected(await send(...form), 400, 'INVALID_FIELD')['field'], 'isSecureAttachment');
    }
    assert.equal(seen(testServer, 'initiate').length, 0);
  });

  it('takes name and type from the part, and fields from both sides of it', async () => {
    const reply = await send(
      ...fields({ conversationId }),
      file('film.mp4', mp4(LEADING_BYTES), 'video/mp4'),
      ...fields({ channel: 'WHATSAPP', fileSize: 60_000_000, name: 'x' }),
    );
    assert.equal(reply.status, 200, reply.text);
    assert.deepEqual(Object.keys(reply.body).sort(), INITIATE_KEYS);
    const { filename, contentType, fileSize, channel } = jsonOf(testServer, 'initiate');
    assert.deepEqual(
      { filename, contentType, fileSize, channel },
      { filename: 'film.mp4', contentType: 'video/mp4', fileSize: 60_000_000, channel: 'WHATSAPP' },
    );
    await testServer.assertClean();
  });

  it('prefers name and type of the fields', async () => {
    const reply = await send(
      ...fields({ conversationId, filename: 'photo.jpg', contentType: 'image/jpg' }),
      file('blob', fixture('picture.jpg').subarray(0, LEADING_BYTES), 'application/octet-stream'),
    );
    assert.equal(reply.status, 200, reply.text);
    assert.equal(reply.body.filename, 'photo.jpg');
    assert.equal(reply.body.contentType, 'image/jpeg');
  });

  it('judges by name alone where no file is sent', async () => {
    const reply = await send(...fields({ conversationId, filename: 'a.png', contentType: 'image/png' }));
    assert.equal(reply.status, 200, reply.text);
  });

  for (const name of ['word.docx', 'larger-than-tail.zip', 'writer.pdf', 'word-plain.doc']) {
    it(`does not judge the structure of ${name}`, async () => {
      const content = fixture(name);
      const head = file(name, content.subarray(0, LEADING_BYTES));
      for (const declared of [{}, { fileSize: content.length }]) {
        const reply = await send(...fields({ conversationId, ...declared }), head);
        assert.equal(reply.status, 200, reply.text);
      }
      await testServer.assertClean();
    });
  }

  const small = file('a.txt', 'hello');
  const bad: readonly (readonly [string, readonly Part[], number, string])[] = [
    ['content of another type', [file('film.mp4', fixture('picture.png'))], 415, 'TYPE_MISMATCH'],
    [
      'a declared type of another',
      [file('a.png', fixture('picture.png'), 'image/jpeg')],
      415,
      'TYPE_MISMATCH',
    ],
    ['a type off the list', [file('a.exe', fixture('program.exe'))], 415, 'TYPE_NOT_ALLOWED'],
    ['an empty file', [file('a.txt', '')], 400, 'EMPTY_FILE'],
    ['two files', [small, small], 400, 'TOO_MANY_FILES'],
    ['another file field', [{ ...small, name: 'file' }], 400, 'UNEXPECTED_FILE_FIELD'],
    ['a head larger than the file', [small, ...fields({ fileSize: 4 })], 400, 'SIZE_MISMATCH'],
    ['an invalid size', [small, ...fields({ fileSize: 'many' })], 400, 'INVALID_FIELD'],
    ['a size over the limit', [small, ...fields({ fileSize: 6_000_000 })], 413, 'FILE_TOO_LARGE'],
    ['a second conversation', [small, ...fields({ conversationId: 'other' })], 400, 'DUPLICATE_FIELD'],
    ['another location', [small, ...fields({ locationId: 'other' })], 403, 'LOCATION_NOT_ALLOWED'],
    ['a whole film', [file('film.mp4', mp4(400_000))], 413, 'BODY_TOO_LARGE'],
    ['no file and no name', [], 400, 'MISSING_FIELD'],
  ];
  for (const [what, parts, status, code] of bad) {
    it(`rejects ${what}`, async () => {
      assertRejected(await send(...fields({ conversationId }), ...parts), status, code);
      assert.equal(seen(testServer, 'initiate').length, 0);
      await testServer.assertClean();
    });
  }

  it('rejects a form without its end, and one without a boundary', async () => {
    const form = encodeForm([...fields({ conversationId }), small]);
    const cut = await sendForm(testServer, [], { path: '/initiate', body: form.subarray(0, -10) });
    assertRejected(cut, 400, 'BAD_MULTIPART');
    const headers = { 'Content-Type': 'multipart/form-data' };
    assertRejected(await sendForm(testServer, [], { path: '/initiate', headers }), 415, 'NOT_MULTIPART');
    await testServer.assertClean();
  });

  it('takes one of the slots for uploads, as the JSON of initiate need not', async () => {
    for (const [env, status, code] of [
      [{ MAX_CONCURRENT_UPLOADS: '1' }, 503, 'BUSY'],
      [{ MAX_CONCURRENT_UPLOADS_PER_CALLER: '1' }, 429, 'TOO_MANY_UPLOADS'],
    ] as const) {
      await using full = await createTestServer({ env });
      const form = encodeForm([...fields({ conversationId: full.sandbox.conversationId }), small]);
      using first = await beginUpload(full, form.length, [], '/initiate');
      await first.send(form.subarray(0, -10));
      await settled(() => full.server.context.slots.taken === 1, 'the place is taken');
      assertRejected(await sendForm(full, [], { path: '/initiate', body: form }), status, code);
      assert.equal((await initiate(full)).status, 200);
      await first.send(form.subarray(-10));
      assert.equal((await first.response()).status, 200);
      await full.assertClean();
    }
  });

  it('asks Leadway nothing when the client disconnects', async () => {
    const form = encodeForm([...fields({ conversationId }), small]);
    using client = await beginUpload(testServer, form.length, [], '/initiate');
    await client.send(form.subarray(0, -10));
    client.leave();
    await client.closed;
    await testServer.assertClean();
    assert.equal(seen(testServer, 'initiate').length, 0);
  });

  it('ends the call to Leadway when the client disconnects while it waits', async () => {
    testServer.sandbox.fault = 'initiate-never-answers';
    const form = encodeForm([...fields({ conversationId }), small]);
    using client = await beginUpload(testServer, form.length, [], '/initiate');
    await client.send(form);
    await testServer.sandbox.waitFor((requests) => requests.some(({ complete }) => complete));
    client.leave();
    await testServer.sandbox.waitFor((requests) => requests.every(({ left }) => left));
    await testServer.assertClean();
  });
});
