import assert from 'node:assert/strict';
import request from 'supertest';
import { FILE_TYPES } from '../../server/file-types/file-types.ts';
import { createHouse, type House } from '../helpers/house.ts';
import { fixture } from '../helpers/multipart.ts';
import { filePart, sendUpload, textParts } from '../helpers/send-upload.ts';

async function configOf(house: House) {
  const answer = await request(house.api).get('/config').expect(200);
  assert.equal(answer.headers['cache-control'], 'no-store');
  return answer.body;
}

describe('GET /config', () => {
  it('tells a browser client what it may send and how', async () => {
    await using house = await createHouse();
    const config = await configOf(house);
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
    await using house = await createHouse({
      env: {
        ALLOWED_TYPES: 'jpg,vcf',
        MAX_FILES: '2',
        DEFAULT_CHANNEL: 'WHATSAPP',
        FORWARD_MAX_BYTES: '1048576',
        BASE_PATH: '/uploads/api/',
      },
    });
    assert.match(house.api, /\/uploads\/api$/);
    const config = await configOf(house);
    assert.deepEqual(config.types, [
      { extensions: ['jpg'], mimeTypes: FILE_TYPES.jpg.mimeTypes },
      { extensions: ['vcf'], mimeTypes: FILE_TYPES.vcf.mimeTypes },
    ]);
    assert.equal(config.maxFiles, 2);
    assert.equal(config.channels.default, 'WHATSAPP');
    assert.equal(config.limits.forwardMaxBytes, 1_048_576);
  });

  it('offers no direct upload once Leadway is known to offer none', async () => {
    await using house = await createHouse({ sandbox: { fault: 'no-initiate' } });
    const parts = [...textParts(house.fields), filePart('picture.png', fixture('picture.png'))];
    const refused = await sendUpload(house, parts, { query: '?mode=direct' });
    assert.equal(refused.body.code, 'DIRECT_UNAVAILABLE');
    const config = await configOf(house);
    assert.deepEqual(config.modes, ['auto', 'forward']);
    assert.equal(config.limits.forwardMaxBytes, 5_242_880);
    await house.assertTidy();
  });

  it('holds no secret and no address of Leadway', async () => {
    await using house = await createHouse();
    const text = JSON.stringify(await configOf(house));
    for (const secret of [house.sandbox.token, house.sandbox.locationId, '127.0.0.1', 'http']) {
      assert(!text.includes(secret), secret);
    }
  });

  it('is at the root for BASE_PATH=/', async () => {
    await using house = await createHouse({ env: { BASE_PATH: '/' } });
    await request(house.url).get('/config').expect(200);
    await request(house.url).get('/api/config').expect(404);
    await request(house.url).get('/healthz').expect(200);
  });
});
