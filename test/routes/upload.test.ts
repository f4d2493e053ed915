import assert from 'node:assert/strict';
import request from 'supertest';
import { createHouse, type House } from '../helpers/house.ts';
import { encodeForm, fixture, mp4 } from '../helpers/multipart.ts';
import { filePart, sendUpload, sha256, textParts } from '../helpers/send-upload.ts';

describe('POST /messages/upload', () => {
  let house: House;
  beforeEach(async () => {
    house = await createHouse();
  });
  afterEach(() => house[Symbol.asyncDispose]());

  it('forwards a small file in one request of known length', async () => {
    const picture = fixture('picture.png');
    const answer = await request(house.api)
      .post('/messages/upload')
      .field(house.fields)
      .attach('fileAttachment', picture, 'picture.png')
      .expect(200);
    assert.deepEqual(Object.keys(answer.body).toSorted(), ['mode', 'uploadedFiles']);
    assert.equal(answer.body.mode, 'forward');
    assert.match(answer.body.uploadedFiles['picture.png'], /^http/);
    const [sent] = house.sandbox.requests;
    assert.deepEqual(sent?.files?.[0], {
      field: 'fileAttachment',
      name: 'picture.png',
      contentType: 'image/png',
      size: picture.length,
      sha256: sha256(picture),
      complete: true,
    });
    assert.equal(Number(sent.headers['content-length']), sent.bodyBytes);
    await house.assertTidy({ completeUploads: 1 });
  });

  it('streams a file that is too large to hold, byte for byte', async () => {
    const film = mp4(3_000_000);
    const answer = await sendUpload(house, [...textParts(house.fields), filePart('film.mp4', film)]);
    assert.equal(answer.status, 200);
    assert.equal(answer.body.mode, 'forward');
    const [sent] = house.sandbox.requests;
    assert.equal(sent?.files?.[0]?.sha256, sha256(film));
    assert.equal(sent.headers['transfer-encoding'], 'chunked');
    await house.assertTidy({ completeUploads: 1 });
  });

  it('takes a body of unknown length', async () => {
    for (const content of [fixture('picture.png'), fixture('program-mpeg2.mpg')]) {
      const name = content[0] === 0x89 ? 'a.png' : 'a.mpg';
      const form = [...textParts(house.fields), filePart(name, content)];
      const answer = await sendUpload(house, form, { chunked: true });
      assert.equal(answer.status, 200);
      assert.equal(house.sandbox.requests.at(-1)?.files?.[0]?.sha256, sha256(content));
    }
    await house.assertTidy({ completeUploads: 2 });
  });

  it('sends Leadway what its specification asks for and nothing of the caller', async () => {
    const form = [...textParts(house.fields), filePart('a.png', fixture('picture.png'))];
    const answer = await sendUpload(house, form, {
      headers: {
        Authorization: 'Bearer callers-own',
        Cookie: 'session=1',
        'X-Secret': 'x',
        'Accept-Language': 'es',
        Version: '1999-01-01',
      },
    });
    assert.equal(answer.status, 200);
    const [sent] = house.sandbox.requests;
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
    assert.equal(sent?.headers['authorization'], `Bearer ${house.sandbox.token}`);
    assert.equal(sent.headers['accept'], 'application/json');
    assert.equal(sent.headers['version'], '2021-07-28');
    assert.deepEqual(sent.fieldOrder, ['conversationId', 'contactId', 'locationId', 'fileAttachment']);
    await house.assertTidy({ completeUploads: 1 });
  });

  it('takes fields before, between and after the files', async () => {
    const png = fixture('picture.png');
    const jpg = fixture('picture.jpg');
    const film = mp4(600_000);
    const fields = textParts(house.fields);
    const orders = [
      [...fields, filePart('a.png', png), filePart('b.jpg', jpg), filePart('c.mp4', film)],
      [filePart('a.png', png), ...fields, filePart('b.jpg', jpg), filePart('c.mp4', film)],
      [filePart('a.png', png), filePart('b.jpg', jpg), filePart('c.mp4', film), ...fields],
      [filePart('c.mp4', film), ...fields.slice(0, 1), filePart('a.png', png), ...fields.slice(1)],
    ];
    for (const parts of orders) {
      const answer = await sendUpload(house, parts);
      assert.equal(answer.status, 200, answer.text);
      const names = parts.filter((part) => part.filename !== undefined).map((part) => part.filename);
      assert.deepEqual(Object.keys(answer.body.uploadedFiles ?? {}), names);
      const sent = house.sandbox.requests.at(-1);
      assert.deepEqual(
        sent?.files?.map(({ name, sha256: hash }) => [name, hash]),
        parts
          .filter((part) => part.filename !== undefined)
          .map((part) => [part.filename, sha256(Buffer.from(part.content))]),
      );
      assert.deepEqual(
        { ...sent?.fields },
        {
          conversationId: [house.sandbox.conversationId],
          contactId: [house.sandbox.contactId],
          locationId: [house.sandbox.locationId],
        },
      );
    }
    await house.assertTidy({ completeUploads: orders.length });
  });

  it('sends the canonical type, whatever way the caller wrote it', async () => {
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
      const form = [...textParts(house.fields), filePart(name, fixture(file), declared)];
      const answer = await sendUpload(house, form);
      assert.equal(answer.status, 200, `${name} ${declared}: ${answer.text}`);
      assert.equal(house.sandbox.requests.at(-1)?.files?.[0]?.contentType, canonical);
    }
    await house.assertTidy({ completeUploads: cases.length });
  });

  it('refuses a picture under the name of another type and sends Leadway nothing', async () => {
    const form = [...textParts(house.fields), filePart('picture.jpg', fixture('picture.png'), 'image/jpeg')];
    const answer = await sendUpload(house, form);
    assert.equal(answer.status, 415);
    assert.equal(answer.body.code, 'TYPE_MISMATCH');
    assert.equal(answer.body.retryable, false);
    assert.equal(answer.body.details?.['detected'], 'image/png');
    assert.equal(answer.body.details['declared'], 'image/jpeg');
    assert.equal(answer.body.requestId, answer.headers['x-request-id']);
    assert.equal(house.sandbox.requests.length, 0);
    await house.assertTidy();
  });

  it('refuses the whole request when any of its files is refused, the last one too', async () => {
    const form = [
      ...textParts(house.fields),
      filePart('film.mp4', mp4(600_000)),
      filePart('tool.pdf', fixture('program.exe')),
    ];
    const answer = await sendUpload(house, form);
    assert.equal(answer.status, 415);
    assert.equal(answer.body.code, 'TYPE_MISMATCH');
    await house.sandbox.waitFor(([sent]) => sent?.aborted === true);
    await house.assertTidy();
  });

  it('takes 201 from Leadway for the success that it is', async () => {
    await using created = await createHouse({ sandbox: { uploadStatus: 201 } });
    const form = [...textParts(created.fields), filePart('a.png', fixture('picture.png'))];
    const answer = await sendUpload(created, form);
    assert.equal(answer.status, 200);
    await created.assertTidy({ completeUploads: 1 });
  });

  it('answers other methods with 405 and the one there is', async () => {
    const answer = await request(house.api).get('/messages/upload').expect(405);
    assert.equal(answer.body.code, 'METHOD_NOT_ALLOWED');
    assert.equal(answer.headers['allow'], 'POST');
  });

  it('refuses bodies of other content types before anything else', async () => {
    const body = encodeForm(textParts(house.fields));
    for (const type of ['application/json', 'multipart/mixed; boundary=test-boundary', 'text/plain']) {
      const answer = await sendUpload(house, body, { headers: { 'Content-Type': type } });
      assert.equal(answer.status, 415, type);
      assert.equal(answer.body.code, 'NOT_MULTIPART');
    }
    await house.assertTidy();
  });

  it('refuses a content coding, which would hide the form from its checks', async () => {
    for (const coding of ['gzip', 'br', 'identity, gzip']) {
      const form = [...textParts(house.fields), filePart('a.png', fixture('picture.png'))];
      const answer = await sendUpload(house, form, { headers: { 'Content-Encoding': coding } });
      assert.equal(answer.status, 415, coding);
      assert.equal(answer.body.code, 'UNSUPPORTED_ENCODING');
    }
    await house.assertTidy();
  });

  it('refuses a mode that it does not know', async () => {
    for (const query of ['?mode=sideways', '?mode=forward&mode=direct']) {
      const answer = await sendUpload(house, [filePart('a.png', fixture('picture.png'))], { query });
      assert.equal(answer.status, 400);
      assert.equal(answer.body.code, 'INVALID_FIELD');
      assert.equal(answer.body.details?.['field'], 'mode');
    }
    await house.assertTidy();
  });
});
