import assert from 'node:assert/strict';
import request from 'supertest';
import { fixture } from '../helpers/multipart.ts';
import { type ApiResponse, filePart, sendUpload, textParts } from '../helpers/send-upload.ts';
import { createTestServer, type TestServer } from '../helpers/test-server.ts';

const FILM = fixture('moov-last.mp4');
const LEADING = FILM.subarray(0, 4_100);

describe('delivery in responses', () => {
  let testServer: TestServer;
  beforeEach(async () => {
    testServer = await createTestServer({ env: { ALLOWED_TYPES: '+gif' } });
  });
  afterEach(() => testServer[Symbol.asyncDispose]());

  function send(
    channel: string,
    parts: readonly ReturnType<typeof filePart>[],
    { query = '', fields = {}, headers = {} } = {},
  ): Promise<ApiResponse> {
    const form = [...textParts({ ...testServer.fields, channel, ...fields }), ...parts];
    return sendUpload(testServer, form, { query, headers });
  }

  function summary({ body: { delivery } }: Pick<ApiResponse, 'body'>): string {
    return [delivery?.verdict, ...(delivery?.reasons ?? []).map(({ code, file }) => `${code} ${file}`)].join(
      ' ',
    );
  }

  it('is that of the whole file where it is forwarded or relayed, a moov box at the end included', async () => {
    for (const query of ['?mode=forward', '?mode=relay']) {
      const response = await send('WHATSAPP', [filePart('film.mp4', FILM)], { query });
      assert.equal(response.status, 200, response.text);
      assert.deepEqual(response.body.delivery, { verdict: 'ok', reasons: [] });
    }
    await testServer.assertClean({ completeUploads: 1 });
  });

  it('is that of the worst file, with its name', async () => {
    const files = [filePart('a.png', fixture('animated.png')), filePart('b.gif', fixture('picture.gif'))];
    assert.equal(summary(await send('WHATSAPP', files)), 'unlikely FORMAT_NOT_DELIVERED b.gif');
    assert.equal(summary(await send('SMS', files)), 'ok');
    await testServer.assertClean({ completeUploads: 2 });
  });

  it('has a sentence in the language of the client', async () => {
    const gif = filePart('b.gif', fixture('picture.gif'));
    const response = await send('WHATSAPP', [gif], { headers: { 'Accept-Language': 'es-MX' } });
    assert.equal(
      response.body.delivery?.reasons[0]?.message,
      'Este canal no entrega archivos GIF. Entrega JPG, PNG.',
    );
  });

  it('is unknown for a direct upload of which only the leading bytes were sent, and kept in the ticket', async () => {
    const response = await send('WHATSAPP', [filePart('film.mp4', LEADING)], {
      query: '?mode=direct',
      fields: { fileSize: String(FILM.length) },
    });
    assert.equal(response.status, 202, response.text);
    assert.equal(summary(response), 'unknown CODEC_NOT_SEEN film.mp4');
    const { uploadUrl, ticket } = response.body as unknown as { uploadUrl: string; ticket: string };
    await fetch(uploadUrl, { method: 'PUT', headers: { 'Content-Type': 'video/mp4' }, body: FILM });
    const completed = await request(testServer.api).post('/messages/upload/complete').send({ ticket });
    assert.equal(completed.status, 200, completed.text);
    assert.deepEqual(completed.body.delivery, response.body.delivery);
    await testServer.assertClean();
  });

  it('says before the upload that a video is too large for WhatsApp', async () => {
    const { conversationId } = testServer.sandbox;
    const initiated = await request(testServer.api)
      .post('/messages/upload/initiate')
      .send({ conversationId, channel: 'WHATSAPP', filename: 'film.mp4', fileSize: 60 * 1024 * 1024 });
    assert.equal(initiated.status, 200, initiated.text);
    assert.equal(summary(initiated), 'unlikely FILE_TOO_LARGE_FOR_CHANNEL film.mp4 CODEC_NOT_SEEN film.mp4');
    assert.equal(
      initiated.body.delivery.reasons[0].message,
      'The file is 60 MB. This channel delivers such files up to 16 MB.',
    );
  });
});

describe('STRICT_DELIVERY=on', () => {
  it('rejects what is unlikely before Leadway has a whole request or gives a signed URL', async () => {
    await using testServer = await createTestServer({
      env: { STRICT_DELIVERY: 'on', ALLOWED_TYPES: '+gif', FORWARD_HOLD_BYTES: '0' },
    });
    const gif = filePart('b.gif', fixture('picture.gif'));
    for (const query of ['?mode=forward', '?mode=relay', '?mode=direct']) {
      const form = [...textParts({ ...testServer.fields, channel: 'WHATSAPP' }), gif];
      const { status, body } = await sendUpload(testServer, form, { query });
      assert.equal(status, 422, query);
      assert.equal(body.code, 'NOT_DELIVERABLE');
      assert.equal(
        body.message,
        'This channel does not deliver GIF files. It delivers JPG, PNG. So b.gif would not be delivered.',
      );
      assert.deepEqual(body.details?.['reasons'], [{ code: 'FORMAT_NOT_DELIVERED', file: 'b.gif' }]);
      assert(
        testServer.sandbox.requests.every(({ path }) => !path.endsWith('/initiate')),
        'no URL is asked for',
      );
    }
    const { conversationId } = testServer.sandbox;
    await request(testServer.api)
      .post('/messages/upload/initiate')
      .send({ conversationId, channel: 'WHATSAPP', filename: 'b.gif', fileSize: 100 })
      .expect(422);
    await testServer.assertClean();
  });

  it('lets pass what is uncertain or unknown', async () => {
    await using testServer = await createTestServer({ env: { STRICT_DELIVERY: 'on' } });
    for (const [channel, name] of [
      ['SMS', 'writer.pdf'],
      ['LIVE_CHAT', 'picture.png'],
    ] as const) {
      const form = [...textParts({ ...testServer.fields, channel }), filePart(name, fixture(name))];
      assert.equal((await sendUpload(testServer, form)).status, 200, channel);
    }
    await testServer.assertClean({ completeUploads: 2 });
  });
});
