import assert from 'node:assert/strict';
import {
  assertRejected,
  fields,
  file,
  jsonOf,
  type Reply,
  seen,
  sendForm,
  sha256,
} from '../helpers/direct-steps.ts';
import { closing, encodeForm, fixture, mp4, type Part } from '../helpers/multipart.ts';
import { beginUpload } from '../helpers/raw-client.ts';
import { createTestServer, type TestServer } from '../helpers/test-server.ts';

const MIB = 1024 * 1024;

describe('POST /messages/upload?mode=relay', () => {
  let testServer: TestServer;
  let target: readonly Part[];
  before(async () => {
    testServer = await createTestServer();
    target = fields({ conversationId: testServer.sandbox.conversationId });
  });
  beforeEach(() => testServer.sandbox.reset());
  afterEach(() => testServer.assertClean());
  after(() => testServer[Symbol.asyncDispose]());

  function relay(parts: readonly Part[], more: { readonly chunked?: boolean } = {}): Promise<Reply> {
    return sendForm(testServer, parts, { path: '?mode=relay', ...more });
  }

  /** Asserts that nothing of a rejected upload became an attachment. */
  function assertNothingCompleted(): void {
    assert.equal(seen(testServer, 'complete').length, 0);
    assert.equal(seen(testServer, 'upload').length, 0);
  }

  for (const chunked of [false, true]) {
    for (const size of [5, 4_100, 300_000, 5 * MIB]) {
      it(`makes the three steps for ${size} bytes${chunked ? ', chunked' : ''}`, async () => {
        const film = size < 100 ? Buffer.from('hello') : mp4(size);
        const name = size < 100 ? 'note.txt' : 'film.mp4';
        const { status, text, body } = await relay([...target, file(name, film)], { chunked });
        assert.equal(status, 200, text);
        assert.deepEqual(Object.keys(body).sort(), ['delivery', 'mode', 'uploadedFiles']);
        assert.equal(body.mode, 'relay');
        const shown = await fetch(body.uploadedFiles?.[name] ?? '');
        assert.equal(sha256(Buffer.from(await shown.arrayBuffer())), sha256(film));
        assert.equal(seen(testServer, 'initiate').length, 1);
        assert.equal(seen(testServer, 'complete').length, 1);
      });
    }
  }

  it('streams 60 MB and announces their size to storage when it is declared', async () => {
    const film = mp4(60_000_000);
    const declared = fields({ channel: 'WHATSAPP', fileSize: film.length });
    const { status, text } = await relay([...target, ...declared, file('film.mp4', film)]);
    assert.equal(status, 200, text);
    const [put] = seen(testServer, 'put');
    assert.equal(put?.headers['content-length'], String(film.length));
    assert.equal(put?.files?.[0]?.sha256, sha256(film));
    assert.equal(jsonOf(testServer, 'initiate')['fileSize'], film.length);
  });

  it('sends storage neither the token nor anything of the client', async () => {
    const headers = { Cookie: 'session=secret', Authorization: 'Bearer own', 'X-Custom': 'yes' };
    const parts = [...target, file('note.txt', 'hello')];
    const { status } = await sendForm(testServer, parts, { path: '?mode=relay', headers });
    assert.equal(status, 200);
    assert.deepEqual(seen(testServer, 'put')[0]?.headers, {
      'content-type': 'text/plain',
      'content-length': '5',
      host: new URL(testServer.sandbox.storageOrigin).host,
      connection: 'keep-alive',
    });
  });

  it('relays several files, each by its own URL, and completes them at the end', async () => {
    const film = mp4(400_000);
    const parts = [
      file('a.txt', 'one'),
      file('film.mp4', film),
      file('a.txt', 'two'),
      file('a.txt', 'three'),
    ];
    const { status, text, body } = await relay([...target, ...parts]);
    assert.equal(status, 200, text);
    const files = body.uploadedFiles ?? {};
    assert.deepEqual(Object.keys(files), ['a.txt', 'film.mp4', 'a (2).txt', 'a (3).txt']);
    assert.equal(await (await fetch(files['a (2).txt'] ?? '')).text(), 'two');
    assert.equal(new Set(Object.values(files)).size, 4);
    const lastPut = testServer.sandbox.requests.findLastIndex(({ method }) => method === 'PUT');
    const firstComplete = testServer.sandbox.requests.findIndex(({ path }) => path.endsWith('/complete'));
    assert.equal(seen(testServer, 'complete').length, 4);
    assert(lastPut < firstComplete, 'every file is stored before one is completed');
  });

  it('needs no contact, and takes fields behind small files', async () => {
    const { status } = await relay([file('a.txt', 'one'), ...target]);
    assert.equal(status, 200);
  });

  it('asks for the conversation before a large file', async () => {
    const reply = await relay([file('film.mp4', mp4(400_000)), ...target]);
    assert.equal(assertRejected(reply, 400, 'FIELD_ORDER')['field'], 'conversationId');
    assertNothingCompleted();
  });

  it('asks for the channel before a file that only this channel takes', async () => {
    const declared = fields({ fileSize: 6_000_000 });
    const film = file('film.mp4', mp4(6_000_000));
    const reply = await relay([...target, ...declared, film, ...fields({ channel: 'WHATSAPP' })]);
    assert.equal(assertRejected(reply, 400, 'FIELD_ORDER')['field'], 'channel');
    assertNothingCompleted();
  });

  const film = file('film.mp4', mp4(400_000));
  const note = file('note.txt', 'hello');
  const late: readonly (readonly [string, readonly Part[], number, string])[] = [
    ['a field that is wrong', [film, ...fields({ contactId: '../x' })], 400, 'INVALID_FIELD'],
    ['a second conversation', [film, ...fields({ conversationId: 'other' })], 400, 'DUPLICATE_FIELD'],
    ['another location', [film, ...fields({ locationId: 'other' })], 403, 'LOCATION_NOT_ALLOWED'],
    ['a group SMS', [film, ...fields({ isGroupSms: 'true' })], 400, 'INVALID_FIELD'],
    ['a size that does not fit', [film, ...fields({ fileSize: 3 })], 400, 'SIZE_MISMATCH'],
    ['a second file of a wrong type', [film, file('a.png', 'no picture')], 415, 'TYPE_MISMATCH'],
    ['a second file off the list', [film, file('a.exe', 'x')], 415, 'TYPE_NOT_ALLOWED'],
    ['a second file that is empty', [film, file('a.txt', '')], 400, 'EMPTY_FILE'],
    ['a second file that ends wrong', [film, file('a.zip', fixture('truncated.zip'))], 415, 'TYPE_MISMATCH'],
    ['a second file over the limit', [film, file('b.mp4', mp4(5 * MIB + 1))], 413, 'FILE_TOO_LARGE'],
    ['another file field', [film, { ...note, name: 'file' }], 400, 'UNEXPECTED_FILE_FIELD'],
    ['too many files', [film, note, note, note, note, note], 400, 'TOO_MANY_FILES'],
    ['a size declared for two files', [...fields({ fileSize: 5 }), note, film], 400, 'TOO_MANY_FILES'],
  ];
  for (const [what, parts, status, code] of late) {
    it(`completes nothing when what follows a file is ${what}`, async () => {
      assertRejected(await relay([...target, ...parts]), status, code);
      assertNothingCompleted();
    });
  }

  const wrong: readonly (readonly [string, readonly Part[], number, string])[] = [
    [
      'ends as another type',
      [file('a.txt', Buffer.concat([Buffer.alloc(400_000, 'a'), Buffer.alloc(9)]))],
      415,
      'TYPE_MISMATCH',
    ],
    ['is shorter than declared', [...fields({ fileSize: 400_001 }), film], 400, 'SIZE_MISMATCH'],
    ['is longer than declared', [...fields({ fileSize: 399_999 }), film], 400, 'SIZE_MISMATCH'],
    ['passes the limit unannounced', [file('film.mp4', mp4(5 * MIB + 1))], 413, 'FILE_TOO_LARGE'],
    ['is of another type', [file('film.mp4', fixture('picture.png'))], 415, 'TYPE_MISMATCH'],
  ];
  for (const [what, parts, status, code] of wrong) {
    it(`gives storage no object of a file that ${what}`, async () => {
      assertRejected(await relay([...target, ...parts], { chunked: true }), status, code);
      assert(seen(testServer, 'put').every((put) => !put.complete));
      assertNothingCompleted();
    });
  }

  it('gives storage no object of a file of announced length before its end is judged', async () => {
    const content = Buffer.concat([Buffer.alloc(400_000, 'a'), Buffer.alloc(9)]);
    const form = encodeForm([...target, ...fields({ fileSize: content.length }), file('a.txt', content)]);
    using client = await beginUpload(testServer, form.length, [], '?mode=relay');
    const endBytes = closing().length + 2;
    await client.send(form.subarray(0, -endBytes));
    await testServer.sandbox.waitFor(() => (seen(testServer, 'put')[0]?.bodyBytes ?? 0) > 300_000);
    await client.send(form.subarray(-endBytes));
    assert.equal((await client.response()).body.code, 'TYPE_MISMATCH');
    client.leave();
    await testServer.assertClean();
    const [put] = seen(testServer, 'put');
    assert.equal(put?.headers['content-length'], String(content.length));
    assert.equal(put?.complete, false);
    assertNothingCompleted();
  });

  it('gives storage no object when the form is cut', async () => {
    const form = encodeForm([...target, film]);
    using client = await beginUpload(testServer, form.length, [], '?mode=relay');
    await client.send(form.subarray(0, -100));
    await testServer.sandbox.waitFor(() => (seen(testServer, 'put')[0]?.bodyBytes ?? 0) > 0);
    client.leave();
    await testServer.sandbox.waitFor((requests) =>
      requests.every(({ complete, aborted }) => complete || aborted),
    );
    assert(seen(testServer, 'put').every((put) => !put.complete));
    assertNothingCompleted();
  });
});
