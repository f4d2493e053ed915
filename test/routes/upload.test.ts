import assert from 'node:assert/strict';
import request from 'supertest';
import { createHouse, type House } from '../helpers/house.ts';
import { fixture, mp4 } from '../helpers/multipart.ts';

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
    assert.equal(answer.body.mode, 'forward');
    assert.match(answer.body.uploadedFiles['picture.png'], /^http/);
    const [sent] = house.sandbox.requests;
    assert.equal(sent?.files?.[0]?.size, picture.length);
    assert.equal(sent?.files?.[0]?.contentType, 'image/png');
    assert(sent?.headers['content-length']);
    await house.assertTidy({ completeUploads: 1 });
  });

  it('refuses a picture under the name of another type and sends Leadway nothing', async () => {
    const answer = await request(house.api)
      .post('/messages/upload')
      .field(house.fields)
      .attach('fileAttachment', fixture('picture.png'), 'picture.jpg')
      .expect(415);
    assert.equal(answer.body.code, 'TYPE_MISMATCH');
    assert.equal(answer.body.details.detected, 'image/png');
    await house.assertTidy();
  });

  it('streams a file that is too large to hold', async () => {
    const answer = await request(house.api)
      .post('/messages/upload')
      .field(house.fields)
      .attach('fileAttachment', mp4(3_000_000), 'film.mp4')
      .expect(200);
    assert.equal(answer.body.mode, 'forward');
    assert.equal(house.sandbox.requests[0]?.files?.[0]?.size, 3_000_000);
    await house.assertTidy({ completeUploads: 1 });
  });
});
