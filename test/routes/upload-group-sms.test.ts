import assert from 'node:assert/strict';
import { createHouse, type House } from '../helpers/house.ts';
import { fixture, mp4, type Part } from '../helpers/multipart.ts';
import { filePart, sendUpload, textParts } from '../helpers/send-upload.ts';

describe('an upload for a group SMS', () => {
  let house: House;
  let fields: Part[];
  const groupSms: Part = { name: 'isGroupSms', content: 'true' };
  const picture = filePart('a.png', fixture('picture.png'));
  beforeEach(async () => {
    house = await createHouse();
    fields = textParts(house.fields);
  });
  afterEach(() => house[Symbol.asyncDispose]());

  it('answers with the SIDs that Leadway gives, wherever the field stands', async () => {
    for (const file of [picture, filePart('film.mp4', mp4(600_000))]) {
      for (const form of [
        [groupSms, ...fields, file],
        [...fields, file, groupSms],
      ]) {
        const answer = await sendUpload(house, form);
        assert.equal(answer.status, 200, answer.text);
        assert.equal(answer.body.mode, 'forward');
        assert.equal(answer.body.twilioMediaSids?.length, 1);
        assert.match(answer.body.twilioMediaSids[0] ?? '', /^ME[0-9a-f]{32}$/);
        assert.deepEqual(house.sandbox.requests.at(-1)?.fields?.['isGroupSms'], ['true']);
      }
    }
    await house.assertTidy({ completeUploads: 4 });
  });

  it('has one file only', async () => {
    const film = filePart('film.mp4', mp4(600_000));
    for (const form of [
      [groupSms, ...fields, picture, picture],
      [...fields, picture, picture, groupSms],
      [...fields, film, picture, groupSms],
      [groupSms, ...fields, film, film],
    ]) {
      const answer = await sendUpload(house, form);
      assert.equal(answer.status, 400);
      assert.equal(answer.body.code, 'TOO_MANY_FILES');
      assert.deepEqual(answer.body.details, { max: 1 });
    }
    await house.assertTidy();
  });

  it('goes by no other way than forward', async () => {
    for (const query of ['?mode=direct', '?mode=relay']) {
      for (const form of [
        [groupSms, ...fields, picture],
        [...fields, picture, groupSms],
      ]) {
        const answer = await sendUpload(house, form, { query });
        assert.equal(answer.status, 400, answer.text);
        assert.equal(answer.body.code, 'INVALID_FIELD');
        assert.equal(answer.body.details?.['field'], 'isGroupSms');
      }
    }
    await house.assertTidy();
  });

  it('is refused over the forward limit, and is not told to go direct', async () => {
    await using small = await createHouse({ env: { FORWARD_MAX_BYTES: '100000' } });
    for (const query of ['', '?mode=forward']) {
      const form = [...textParts(small.fields), groupSms, filePart('film.mp4', mp4(100_001))];
      const answer = await sendUpload(small, form, { query });
      assert.equal(answer.status, 413, answer.text);
      assert.equal(answer.body.code, 'FILE_TOO_LARGE');
      assert.deepEqual(answer.body.details, { limit: 100_000, channel: 'SMS' });
    }
    await small.assertTidy();
  });
});
