import assert from 'node:assert/strict';
import { closing, encodeForm, fixture, mp4, type Part } from '../helpers/multipart.ts';
import { beginUpload } from '../helpers/raw-client.ts';
import { filePart, sendUpload, sha256, textParts } from '../helpers/send-upload.ts';
import { createTestServer, type TestServer } from '../helpers/test-server.ts';

describe('the declared size of an upload', () => {
  let testServer: TestServer;
  let fields: Part[];
  const film = mp4(600_000);
  const declared = (bytes: number): Part => ({ name: 'fileSize', content: String(bytes) });
  beforeEach(async () => {
    testServer = await createTestServer();
    fields = textParts(testServer.fields);
  });
  afterEach(() => testServer[Symbol.asyncDispose]());

  it('gives the request to Leadway an exact length where the length of the body proves it', async () => {
    const form = [...fields, declared(film.length), filePart('film.mp4', film)];
    const whole = encodeForm(form);
    // Some clients leave out the line end after the closing delimiter, others write two.
    const bodies = [whole, whole.subarray(0, -2), Buffer.concat([whole, Buffer.from('\r\n')])];
    for (const body of bodies) {
      const response = await sendUpload(testServer, body);
      assert.equal(response.status, 200, response.text);
      const sent = testServer.sandbox.requests.at(-1);
      assert.equal(Number(sent?.headers['content-length']), sent?.bodyBytes);
      assert.equal(sent?.headers['transfer-encoding'], undefined);
      assert.equal(sent?.files?.[0]?.sha256, sha256(film));
    }
    await testServer.assertClean({ completeUploads: bodies.length });
  });

  it('is not trusted where more may follow the file', async () => {
    const late = { name: 'a', content: '' };
    const cases = [
      { form: [...fields, declared(film.length), filePart('film.mp4', film), late], chunked: false },
      { form: [...fields, declared(film.length), filePart('film.mp4', film)], chunked: true },
    ];
    for (const { form, chunked } of cases) {
      const response = await sendUpload(testServer, form, { chunked });
      assert.equal(response.status, 200, response.text);
      assert.equal(testServer.sandbox.requests.at(-1)?.headers['transfer-encoding'], 'chunked');
    }
    await testServer.assertClean({ completeUploads: 2 });
  });

  it('is held against what comes, in both directions, early or late', async () => {
    for (const content of [fixture('picture.png'), film]) {
      const name = content === film ? 'film.mp4' : 'a.png';
      for (const size of [content.length - 1, content.length + 1, 1]) {
        for (const form of [
          [...fields, declared(size), filePart(name, content)],
          [...fields, filePart(name, content), declared(size)],
        ]) {
          const response = await sendUpload(testServer, form);
          assert.equal(response.status, 400, `${name} ${size}: ${response.text}`);
          assert.equal(response.body.code, 'SIZE_MISMATCH');
          assert.equal(response.body.details?.['declared'], size);
        }
      }
    }
    await testServer.assertClean();
  });

  it('may be declared late when it is right', async () => {
    for (const [name, content] of [
      ['a.png', fixture('picture.png')],
      ['film.mp4', film],
    ] as const) {
      const form = [...fields, filePart(name, content), declared(content.length)];
      assert.equal((await sendUpload(testServer, form)).status, 200);
    }
    await testServer.assertClean({ completeUploads: 2 });
  });

  it('is of one file, so several are rejected', async () => {
    for (const form of [
      [...fields, declared(600_000), filePart('a.mp4', film), filePart('b.mp4', film)],
      [...fields, filePart('a.mp4', film), filePart('b.mp4', film), declared(600_000)],
    ]) {
      const response = await sendUpload(testServer, form);
      assert.equal(response.status, 400);
      assert.equal(response.body.code, 'TOO_MANY_FILES');
      assert.equal(response.body.details?.['max'], 1);
    }
    await testServer.assertClean();
  });

  it('over the limit is rejected while the first bytes come', async () => {
    await using small = await createTestServer({ env: { FORWARD_MAX_BYTES: '1000000' } });
    const form = [...textParts(small.fields), declared(1_000_001), filePart('film.mp4', film)];
    const opening = encodeForm(form).subarray(0, 20_000);
    using client = await beginUpload(small, 1_100_000, [], '?mode=forward');
    await client.send(opening);
    const response = await client.response();
    assert.equal(response.status, 413);
    assert.equal(response.body.code, 'FILE_TOO_LARGE');
    assert.equal(small.sandbox.requests.length, 0);
    client.leave();
    await small.assertClean();
  });

  it('can not be used to run past the length that Leadway was told', async () => {
    // The body proves 600,000 bytes at its beginning, but ends the file early and goes on with another part.
    const short = film.subarray(0, 300_000);
    const begin = encodeForm([...fields, declared(film.length), filePart('film.mp4', short)]);
    const smuggled = 'GET /conversations/messages/upload?smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n';
    const rest = encodeForm([filePart('b.txt', smuggled.repeat(10_000))]);
    const proving = encodeForm([...fields, declared(film.length), filePart('film.mp4', film)]).length;
    const body = Buffer.concat([begin.subarray(0, -closing().length), rest]).subarray(0, proving);
    assert.equal(body.length, proving);
    const response = await sendUpload(testServer, body);
    assert.equal(response.status, 400);
    assert.equal(response.body.code, 'SIZE_MISMATCH');
    await testServer.assertClean();
    assert.equal(testServer.sandbox.requests.length, 1);
    assert((testServer.sandbox.requests[0]?.bodyBytes ?? 0) < 310_000);
  });
});
