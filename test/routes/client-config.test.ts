import assert from 'node:assert/strict';
import request from 'supertest';
import { FILE_TYPES } from '../../server/file-types/file-types.ts';
import { fixture } from '../helpers/multipart.ts';
import { filePart, sendUpload, textParts } from '../helpers/send-upload.ts';
import { createTestServer, type TestServer } from '../helpers/test-server.ts';

async function configOf(testServer: TestServer) {
  const response = await request(testServer.api).get('/config').expect(200);
  assert.equal(response.headers['cache-control'], 'no-store');
  return response.body;
}

describe('GET /config', () => {
  it('tells a browser client what it may send and how', async () => {
    await using testServer = await createTestServer();
    const config = await configOf(testServer);
    assert.equal(config.fileField, 'fileAttachment');
    assert.equal(config.maxFiles, 5);
    assert.deepEqual(config.channels, { default: 'SMS' });
    assert.equal(config.limits.forwardMaxBytes, 5_242_880);
    assert.deepEqual(config.modes, ['auto', 'forward', 'direct', 'relay']);
    const extensions = config.types.flatMap((type: { extensions: string[] }) => type.extensions);
    assert(extensions.includes('png') && extensions.includes('jpeg'));
    assert(!extensions.includes('vcf'));
  });

  it('follows the settings', async () => {
    await using testServer = await createTestServer({
      env: {
        ALLOWED_TYPES: 'jpg,vcf',
        MAX_FILES: '2',
        DEFAULT_CHANNEL: 'WHATSAPP',
        FORWARD_MAX_BYTES: '1048576',
        BASE_PATH: '/uploads/api/',
      },
    });
    assert.match(testServer.api, /\/uploads\/api$/);
    const config = await configOf(testServer);
    assert.deepEqual(config.types, [
      { extensions: ['jpg'], mimeTypes: FILE_TYPES.jpg.mimeTypes },
      { extensions: ['vcf'], mimeTypes: FILE_TYPES.vcf.mimeTypes },
    ]);
    assert.equal(config.maxFiles, 2);
    assert.equal(config.channels.default, 'WHATSAPP');
    assert.equal(config.limits.forwardMaxBytes, 1_048_576);
  });

  it('offers no direct upload once Leadway is known to offer none', async () => {
    await using testServer = await createTestServer({ sandbox: { fault: 'no-initiate' } });
    const parts = [...textParts(testServer.fields), filePart('picture.png', fixture('picture.png'))];
    const rejected = await sendUpload(testServer, parts, { query: '?mode=direct' });
    assert.equal(rejected.body.code, 'DIRECT_UNAVAILABLE');
    const config = await configOf(testServer);
    assert.deepEqual(config.modes, ['auto', 'forward']);
    assert.equal(config.limits.forwardMaxBytes, 5_242_880);
    await testServer.assertClean();
  });

  it('says what speaks against files by name and size, in the language of the request', async () => {
    await using testServer = await createTestServer();
    const { delivery } = await configOf(testServer);
    const films = { code: 'FILE_TOO_LARGE_FOR_CHANNEL', verdict: 'unlikely', extensions: ['mp4', 'mp3'] };
    const [, film] = delivery.warnings.WHATSAPP;
    const { message, ...found } = film;
    assert.deepEqual(found, { ...films, aboveBytes: 16 * 1024 * 1024 });
    assert.match(
      message,
      /^The file is \{size\}\..* up to 16 MB\. So \{filename\} would not be delivered\.$/,
    );
    const spanish = await request(testServer.api).get('/config').set('Accept-Language', 'es');
    assert.match(spanish.body.delivery.warnings.WHATSAPP[1].message, /^El archivo ocupa \{size\}/);
  });

  it('holds no secret and no address of Leadway', async () => {
    await using testServer = await createTestServer();
    const text = JSON.stringify(await configOf(testServer));
    for (const secret of [testServer.sandbox.token, testServer.sandbox.locationId, '127.0.0.1', 'http']) {
      assert(!text.includes(secret), secret);
    }
  });

  it('is at the root for BASE_PATH=/', async () => {
    await using testServer = await createTestServer({ env: { BASE_PATH: '/' } });
    await request(testServer.url).get('/config').expect(200);
    await request(testServer.url).get('/api/config').expect(404);
    await request(testServer.url).get('/healthz').expect(200);
  });
});
