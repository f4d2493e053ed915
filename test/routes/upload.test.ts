import assert from 'node:assert/strict';
import request from 'supertest';
import { encodeForm, fixture, mp4 } from '../helpers/multipart.ts';
import { filePart, sendUpload, sha256, textParts } from '../helpers/send-upload.ts';
import { createTestServer, type TestServer } from '../helpers/test-server.ts';

describe('POST /messages/upload', () => {
  let testServer: TestServer;
  beforeEach(async () => {
    testServer = await createTestServer();
  });
  afterEach(() => testServer[Symbol.asyncDispose]());

  it('forwards a small file in one request of known length', async () => {
    const picture = fixture('picture.png');
    const response = await request(testServer.api)
      .post('/messages/upload')
      .field(testServer.fields)
      .attach('fileAttachment', picture, 'picture.png')
      .expect(200);
    assert.deepEqual(Object.keys(response.body).toSorted(), ['delivery', 'mode', 'uploadedFiles']);
    assert.equal(response.body.mode, 'forward');
    assert.match(response.body.uploadedFiles['picture.png'], /^http/);
    const [sent] = testServer.sandbox.requests;
    assert.deepEqual(sent?.files?.[0], {
      field: 'fileAttachment',
      name: 'picture.png',
      contentType: 'image/png',
      size: picture.length,
      sha256: sha256(picture),
      complete: true,
    });
    assert.equal(Number(sent.headers['content-length']), sent.bodyBytes);
    await testServer.assertClean({ completeUploads: 1 });
  });

  it('streams a file that is too large to hold, byte for byte', async () => {
    const film = mp4(3_000_000);
    const response = await sendUpload(testServer, [
      ...textParts(testServer.fields),
      filePart('film.mp4', film),
    ]);
    assert.equal(response.status, 200);
    assert.equal(response.body.mode, 'forward');
    const [sent] = testServer.sandbox.requests;
    assert.equal(sent?.files?.[0]?.sha256, sha256(film));
    assert.equal(sent.headers['transfer-encoding'], 'chunked');
    await testServer.assertClean({ completeUploads: 1 });
  });

  it('takes a body of unknown length', async () => {
    for (const content of [fixture('picture.png'), fixture('program-mpeg2.mpg')]) {
      const name = content[0] === 0x89 ? 'a.png' : 'a.mpg';
      const form = [...textParts(testServer.fields), filePart(name, content)];
      const response = await sendUpload(testServer, form, { chunked: true });
      assert.equal(response.status, 200);
      assert.equal(testServer.sandbox.requests.at(-1)?.files?.[0]?.sha256, sha256(content));
    }
    await testServer.assertClean({ completeUploads: 2 });
  });

  it('sends Leadway what its specification asks for and nothing of the client', async () => {
    const form = [...textParts(testServer.fields), filePart('a.png', fixture('picture.png'))];
    const response = await sendUpload(testServer, form, {
      headers: {
        Authorization: 'Bearer callers-own',
        Cookie: 'session=1',
        'X-Secret': 'x',
        'Accept-Language': 'es',
        Version: '1999-01-01',
      },
    });
    assert.equal(response.status, 200);
    const [sent] = testServer.sandbox.requests;
    assert.deepEqual(Object.keys(sent?.headers ?? {}).toSorted(), [
      'accept',
      'accept-encoding',
      'authorization',
      'connection',
      'content-length',
      'content-type',
      'host',
      'user-agent',
      'version',
    ]);
    assert.equal(sent?.headers['authorization'], `Bearer ${testServer.sandbox.token}`);
    assert.equal(sent.headers['accept'], 'application/json');
    assert.equal(sent.headers['version'], '2021-07-28');
    assert.deepEqual(sent.fieldOrder, ['conversationId', 'contactId', 'locationId', 'fileAttachment']);
    await testServer.assertClean({ completeUploads: 1 });
  });

  it('takes fields before, between and after the files', async () => {
    const png = fixture('picture.png');
    const jpg = fixture('picture.jpg');
    const film = mp4(600_000);
    const fields = textParts(testServer.fields);
    const orders = [
      [...fields, filePart('a.png', png), filePart('b.jpg', jpg), filePart('c.mp4', film)],
      [filePart('a.png', png), ...fields, filePart('b.jpg', jpg), filePart('c.mp4', film)],
      [filePart('a.png', png), filePart('b.jpg', jpg), filePart('c.mp4', film), ...fields],
      [filePart('c.mp4', film), ...fields.slice(0, 1), filePart('a.png', png), ...fields.slice(1)],
    ];
    for (const parts of orders) {
      const response = await sendUpload(testServer, parts);
      assert.equal(response.status, 200, response.text);
      const names = parts.filter((part) => part.filename !== undefined).map((part) => part.filename);
      assert.deepEqual(Object.keys(response.body.uploadedFiles ?? {}), names);
      const sent = testServer.sandbox.requests.at(-1);
      assert.deepEqual(
        sent?.files?.map(({ name, sha256: hash }) => [name, hash]),
        parts
          .filter((part) => part.filename !== undefined)
          .map((part) => [part.filename, sha256(Buffer.from(part.content))]),
      );
      assert.deepEqual(
        { ...sent?.fields },
        {
          conversationId: [testServer.sandbox.conversationId],
          contactId: [testServer.sandbox.contactId],
          locationId: [testServer.sandbox.locationId],
        },
      );
    }
    await testServer.assertClean({ completeUploads: orders.length });
  });

  it('sends the canonical type, whatever way the client wrote it', async () => {
    const cases = [
      ['a.jpg', 'picture.jpg', 'image/pjpeg', 'image/jpeg'],
      ['a.JPEG', 'picture.jpg', 'IMAGE/JPG; q=1', 'image/jpeg'],
      ['a.zip', 'archive.zip', 'application/x-zip-compressed', 'application/zip'],
      ['a.txt', 'ascii.txt', undefined, 'text/plain'],
      ['a.txt', 'utf8.txt', 'text/plain; charset=utf-8', 'text/plain'],
      ['a.pdf', 'writer.pdf', 'application/octet-stream', 'application/pdf'],
      ['a.png', 'picture.png', 'text/plain', 'image/png'],
      ['a.wav', 'tone.wav', 'audio/vnd.wave', 'audio/wav'],
    ] as const;
    for (const [name, file, declared, canonical] of cases) {
      const form = [...textParts(testServer.fields), filePart(name, fixture(file), declared)];
      const response = await sendUpload(testServer, form);
      assert.equal(response.status, 200, `${name} ${declared}: ${response.text}`);
      assert.equal(testServer.sandbox.requests.at(-1)?.files?.[0]?.contentType, canonical);
    }
    await testServer.assertClean({ completeUploads: cases.length });
  });

  it('rejects a picture under the name of another type and sends Leadway nothing', async () => {
    const form = [
      ...textParts(testServer.fields),
      filePart('picture.jpg', fixture('picture.png'), 'image/jpeg'),
    ];
    const response = await sendUpload(testServer, form);
    assert.equal(response.status, 415);
    assert.equal(response.body.code, 'TYPE_MISMATCH');
    assert.equal(response.body.retryable, false);
    assert.equal(response.body.details?.['detected'], 'image/png');
    assert.equal(response.body.details['declared'], 'image/jpeg');
    assert.equal(response.body.requestId, response.headers['x-request-id']);
    assert.equal(testServer.sandbox.requests.length, 0);
    await testServer.assertClean();
  });

  it('rejects the whole request when any of its files is rejected, the last one too', async () => {
    const form = [
      ...textParts(testServer.fields),
      filePart('film.mp4', mp4(600_000)),
      filePart('tool.pdf', fixture('program.exe')),
    ];
    const response = await sendUpload(testServer, form);
    assert.equal(response.status, 415);
    assert.equal(response.body.code, 'TYPE_MISMATCH');
    await testServer.sandbox.waitFor(([sent]) => sent?.aborted === true);
    await testServer.assertClean();
  });

  it('takes 201 from Leadway for the success that it is', async () => {
    await using created = await createTestServer({ sandbox: { uploadStatus: 201 } });
    const form = [...textParts(created.fields), filePart('a.png', fixture('picture.png'))];
    const response = await sendUpload(created, form);
    assert.equal(response.status, 200);
    await created.assertClean({ completeUploads: 1 });
  });

  it('responds to other methods with 405 and the one there is', async () => {
    const response = await request(testServer.api).get('/messages/upload').expect(405);
    assert.equal(response.body.code, 'METHOD_NOT_ALLOWED');
    assert.equal(response.headers['allow'], 'POST');
  });

  it('rejects bodies of other content types before anything else', async () => {
    const body = encodeForm(textParts(testServer.fields));
    for (const type of ['application/json', 'multipart/mixed; boundary=test-boundary', 'text/plain']) {
      const response = await sendUpload(testServer, body, { headers: { 'Content-Type': type } });
      assert.equal(response.status, 415, type);
      assert.equal(response.body.code, 'NOT_MULTIPART');
    }
    await testServer.assertClean();
  });

  it('rejects a content coding, which would hide the form from its checks', async () => {
    for (const coding of ['gzip', 'br', 'identity, gzip']) {
      const form = [...textParts(testServer.fields), filePart('a.png', fixture('picture.png'))];
      const response = await sendUpload(testServer, form, { headers: { 'Content-Encoding': coding } });
      assert.equal(response.status, 415, coding);
      assert.equal(response.body.code, 'UNSUPPORTED_ENCODING');
    }
    await testServer.assertClean();
  });

  it('rejects a mode that it does not know', async () => {
    for (const query of ['?mode=sideways', '?mode=forward&mode=direct']) {
      const response = await sendUpload(testServer, [filePart('a.png', fixture('picture.png'))], { query });
      assert.equal(response.status, 400);
      assert.equal(response.body.code, 'INVALID_FIELD');
      assert.equal(response.body.details?.['field'], 'mode');
    }
    await testServer.assertClean();
  });
});
