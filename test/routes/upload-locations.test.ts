import assert from 'node:assert/strict';
import { createHouse, type House } from '../helpers/house.ts';
import { fixture, mp4, type Part } from '../helpers/multipart.ts';
import { filePart, sendUpload, textParts } from '../helpers/send-upload.ts';
import { createTempFile, type TempFile } from '../helpers/temp-file.ts';

const TOKENS = { madrid: 'token-of-madrid-0001', bogota: 'token-of-bogota-0002' };
const picture = filePart('a.png', fixture('picture.png'));
const film = filePart('film.mp4', mp4(600_000));
const location = (content: string): Part => ({ name: 'locationId', content });

describe('the location of an upload, where one is configured', () => {
  let house: House;
  let fields: Part[];
  beforeEach(async () => {
    house = await createHouse();
    fields = textParts(house.fields);
  });
  afterEach(() => house[Symbol.asyncDispose]());

  it('may be left out, or named in the query, in a field, or in both', async () => {
    const { locationId } = house.sandbox;
    const cases: [string, Part[]][] = [
      ['', [...fields, picture]],
      [`?locationId=${locationId}`, [...fields, picture]],
      ['', [location(locationId), ...fields, picture]],
      ['', [...fields, picture, location(locationId)]],
      ['', [...fields, film, location(locationId)]],
      [`?locationId=${locationId}`, [...fields, picture, location(locationId)]],
    ];
    for (const [query, form] of cases) {
      const answer = await sendUpload(house, form, { query });
      assert.equal(answer.status, 200, answer.text);
      assert.deepEqual(house.sandbox.requests.at(-1)?.fields?.['locationId'], [locationId]);
    }
    await house.assertTidy({ completeUploads: cases.length });
  });

  it('is no other than that one', async () => {
    const cases: [string, Part[]][] = [
      ['?locationId=another', [...fields, picture]],
      ['', [location('another'), ...fields, picture]],
      ['', [...fields, film, location('another')]],
      [`?locationId=${house.sandbox.locationId}`, [...fields, picture, location('another')]],
      ['', [location('__proto__'), ...fields, picture]],
      ['', [location('constructor'), ...fields, picture]],
    ];
    for (const [query, form] of cases) {
      const answer = await sendUpload(house, form, { query });
      assert.equal(answer.status, 403, answer.text);
      assert.equal(answer.body.code, 'LOCATION_NOT_ALLOWED');
    }
    await house.assertTidy();
  });

  it('is refused in the query when it is malformed or there twice', async () => {
    for (const [query, code] of [
      ['?locationId=a%20b', 'INVALID_FIELD'],
      ['?locationId=a%0d%0ab', 'INVALID_FIELD'],
      [`?locationId=${'x'.repeat(65)}`, 'INVALID_FIELD'],
      ['?locationId=a&locationId=b', 'DUPLICATE_FIELD'],
    ] as const) {
      const answer = await sendUpload(house, [...fields, picture], { query });
      assert.equal(answer.status, 400, query);
      assert.equal(answer.body.code, code);
    }
    await house.assertTidy();
  });
});

describe('the location of an upload, where several are configured', () => {
  let house: House;
  let tokens: TempFile;
  let fields: Part[];
  beforeEach(async () => {
    tokens = await createTempFile(JSON.stringify(TOKENS));
    house = await createHouse({
      env: { LEADWAY_TOKEN: '', LEADWAY_LOCATION_ID: '', LEADWAY_TOKENS_FILE: tokens.path },
      sandbox: { tokens: TOKENS },
    });
    fields = textParts(house.fields);
  });
  afterEach(async () => {
    await house[Symbol.asyncDispose]();
    await tokens[Symbol.asyncDispose]();
  });

  it('chooses the token', async () => {
    for (const [locationId, token] of Object.entries(TOKENS)) {
      for (const file of [picture, film]) {
        for (const [query, form] of [
          [`?locationId=${locationId}`, [...fields, file]],
          ['', [location(locationId), file, ...fields]],
        ] as const) {
          const answer = await sendUpload(house, form, { query });
          assert.equal(answer.status, 200, answer.text);
          const sent = house.sandbox.requests.at(-1);
          assert.equal(sent?.headers['authorization'], `Bearer ${token}`);
          assert.deepEqual(sent?.fields?.['locationId'], [locationId]);
        }
      }
    }
    await house.assertTidy({ completeUploads: 8 });
  });

  it('must come before the file, however small that is', async () => {
    for (const query of ['', '?mode=forward', '?mode=direct', '?mode=relay']) {
      for (const file of [picture, film]) {
        const answer = await sendUpload(house, [...fields, file, location('madrid')], { query });
        assert.equal(answer.status, 400, `${query}: ${answer.text}`);
        assert.equal(answer.body.code, 'FIELD_ORDER');
        assert.equal(answer.body.details?.['field'], 'locationId');
      }
    }
    await house.assertTidy();
  });

  it('is required', async () => {
    const answer = await sendUpload(house, [...fields, picture]);
    assert.equal(answer.status, 400);
    assert.equal(answer.body.code, 'MISSING_FIELD');
    assert.equal(answer.body.details?.['field'], 'locationId');
    await house.assertTidy();
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
      const answer = await sendUpload(house, form, { query });
      assert.equal(answer.body.code, code, answer.text);
    }
    await house.assertTidy();
  });
});
