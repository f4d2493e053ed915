import assert from 'node:assert/strict';
import { fixture, mp4, type Part } from '../helpers/multipart.ts';
import { filePart, sendUpload, textParts } from '../helpers/send-upload.ts';
import { createTempFile, type TempFile } from '../helpers/temp-file.ts';
import { createTestServer, type TestServer } from '../helpers/test-server.ts';

const TOKENS = { madrid: 'token-of-madrid-0001', bogota: 'token-of-bogota-0002' };
const picture = filePart('a.png', fixture('picture.png'));
const film = filePart('film.mp4', mp4(600_000));
const location = (content: string): Part => ({ name: 'locationId', content });

describe('the location of an upload, where one is configured', () => {
  let testServer: TestServer;
  let fields: Part[];
  beforeEach(async () => {
    testServer = await createTestServer();
    fields = textParts(testServer.fields);
  });
  afterEach(() => testServer[Symbol.asyncDispose]());

  it('may be left out, or named in the query, in a field, or in both', async () => {
    const { locationId } = testServer.sandbox;
    const cases: [string, Part[]][] = [
      ['', [...fields, picture]],
      [`?locationId=${locationId}`, [...fields, picture]],
      ['', [location(locationId), ...fields, picture]],
      ['', [...fields, picture, location(locationId)]],
      ['', [...fields, film, location(locationId)]],
      [`?locationId=${locationId}`, [...fields, picture, location(locationId)]],
    ];
    for (const [query, form] of cases) {
      const response = await sendUpload(testServer, form, { query });
      assert.equal(response.status, 200, response.text);
      assert.deepEqual(testServer.sandbox.requests.at(-1)?.fields?.['locationId'], [locationId]);
    }
    await testServer.assertClean({ completeUploads: cases.length });
  });

  it('is no other than that one', async () => {
    const cases: [string, Part[]][] = [
      ['?locationId=another', [...fields, picture]],
      ['', [location('another'), ...fields, picture]],
      ['', [...fields, film, location('another')]],
      [`?locationId=${testServer.sandbox.locationId}`, [...fields, picture, location('another')]],
      ['', [location('__proto__'), ...fields, picture]],
      ['', [location('constructor'), ...fields, picture]],
    ];
    for (const [query, form] of cases) {
      const response = await sendUpload(testServer, form, { query });
      assert.equal(response.status, 403, response.text);
      assert.equal(response.body.code, 'LOCATION_NOT_ALLOWED');
    }
    await testServer.assertClean();
  });

  it('is rejected in the query when it is malformed or there twice', async () => {
    for (const [query, code] of [
      ['?locationId=a%20b', 'INVALID_FIELD'],
      ['?locationId=a%0d%0ab', 'INVALID_FIELD'],
      [`?locationId=${'x'.repeat(65)}`, 'INVALID_FIELD'],
      ['?locationId=a&locationId=b', 'DUPLICATE_FIELD'],
    ] as const) {
      const response = await sendUpload(testServer, [...fields, picture], { query });
      assert.equal(response.status, 400, query);
      assert.equal(response.body.code, code);
    }
    await testServer.assertClean();
  });
});

describe('the location of an upload, where several are configured', () => {
  let testServer: TestServer;
  let tokens: TempFile;
  let fields: Part[];
  beforeEach(async () => {
    tokens = await createTempFile(JSON.stringify(TOKENS));
    testServer = await createTestServer({
      env: { LEADWAY_TOKEN: '', LEADWAY_LOCATION_ID: '', LEADWAY_TOKENS_FILE: tokens.path },
      sandbox: { tokens: TOKENS },
    });
    fields = textParts(testServer.fields);
  });
  afterEach(async () => {
    await testServer[Symbol.asyncDispose]();
    await tokens[Symbol.asyncDispose]();
  });

  it('chooses the token', async () => {
    for (const [locationId, token] of Object.entries(TOKENS)) {
      for (const file of [picture, film]) {
        for (const [query, form] of [
          [`?locationId=${locationId}`, [...fields, file]],
          ['', [location(locationId), file, ...fields]],
        ] as const) {
          const response = await sendUpload(testServer, form, { query });
          assert.equal(response.status, 200, response.text);
          const sent = testServer.sandbox.requests.at(-1);
          assert.equal(sent?.headers['authorization'], `Bearer ${token}`);
          assert.deepEqual(sent?.fields?.['locationId'], [locationId]);
        }
      }
    }
    await testServer.assertClean({ completeUploads: 8 });
  });

  it('must come before the file, however small that is', async () => {
    for (const query of ['', '?mode=forward', '?mode=direct', '?mode=relay']) {
      for (const file of [picture, film]) {
        const response = await sendUpload(testServer, [...fields, file, location('madrid')], { query });
        assert.equal(response.status, 400, `${query}: ${response.text}`);
        assert.equal(response.body.code, 'FIELD_ORDER');
        assert.equal(response.body.details?.['field'], 'locationId');
      }
    }
    await testServer.assertClean();
  });

  it('is required', async () => {
    const response = await sendUpload(testServer, [...fields, picture]);
    assert.equal(response.status, 400);
    assert.equal(response.body.code, 'MISSING_FIELD');
    assert.equal(response.body.details?.['field'], 'locationId');
    await testServer.assertClean();
  });

  it('is one of those configured, and one only', async () => {
    const cases: [string, Part[], string][] = [
      ['', [location('lisbon'), ...fields, picture], 'LOCATION_NOT_ALLOWED'],
      ['?locationId=lisbon', [...fields, picture], 'LOCATION_NOT_ALLOWED'],
      ['?locationId=madrid', [location('bogota'), ...fields, picture], 'DUPLICATE_FIELD'],
      ['?locationId=madrid', [...fields, film, location('bogota')], 'DUPLICATE_FIELD'],
      ['', [location('madrid'), location('bogota'), ...fields, picture], 'DUPLICATE_FIELD'],
    ];
    for (const [query, form, code] of cases) {
      const response = await sendUpload(testServer, form, { query });
      assert.equal(response.body.code, code, response.text);
    }
    await testServer.assertClean();
  });
});
