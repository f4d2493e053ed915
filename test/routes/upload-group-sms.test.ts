import assert from 'node:assert/strict';
import { fixture, mp4, type Part } from '../helpers/multipart.ts';
import { filePart, sendUpload, textParts } from '../helpers/send-upload.ts';
import { createTestServer, type TestServer } from '../helpers/test-server.ts';

describe('an upload for a group SMS', () => {
  let testServer: TestServer;
  let fields: Part[];
  const groupSms: Part = { name: 'isGroupSms', content: 'true' };
  const picture = filePart('a.png', fixture('picture.png'));
  beforeEach(async () => {
    testServer = await createTestServer();
    fields = textParts(testServer.fields);
  });
  afterEach(() => testServer[Symbol.asyncDispose]());

  it('responds with the SIDs that Leadway gives, wherever the field stands', async () => {
    for (const file of [picture, filePart('film.mp4', mp4(600_000))]) {
      for (const form of [
        [groupSms, ...fields, file],
        [...fields, file, groupSms],
      ]) {
        const response = await sendUpload(testServer, form);
        assert.equal(response.status, 200, response.text);
        assert.equal(response.body.mode, 'forward');
        assert.equal(response.body.twilioMediaSids?.length, 1);
        assert.match(response.body.twilioMediaSids[0] ?? '', /^ME[0-9a-f]{32}$/);
        assert.deepEqual(testServer.sandbox.requests.at(-1)?.fields?.['isGroupSms'], ['true']);
      }
    }
    await testServer.assertClean({ completeUploads: 4 });
  });

  it('has one file only', async () => {
    const film = filePart('film.mp4', mp4(600_000));
    for (const form of [
      [groupSms, ...fields, picture, picture],
      [...fields, picture, picture, groupSms],
      [...fields, film, picture, groupSms],
      [groupSms, ...fields, film, film],
    ]) {
      const response = await sendUpload(testServer, form);
      assert.equal(response.status, 400);
      assert.equal(response.body.code, 'TOO_MANY_FILES');
      assert.deepEqual(response.body.details, { max: 1 });
    }
    await testServer.assertClean();
  });

  it('goes by no other way than forward', async () => {
    for (const query of ['?mode=direct', '?mode=relay']) {
      for (const form of [
        [groupSms, ...fields, picture],
        [...fields, picture, groupSms],
      ]) {
        const response = await sendUpload(testServer, form, { query });
        assert.equal(response.status, 400, response.text);
        assert.equal(response.body.code, 'INVALID_FIELD');
        assert.equal(response.body.details?.['field'], 'isGroupSms');
      }
    }
    await testServer.assertClean();
  });

  it('is rejected over the forward limit, and is not told to go direct', async () => {
    await using small = await createTestServer({ env: { FORWARD_MAX_BYTES: '100000' } });
    for (const query of ['', '?mode=forward']) {
      const form = [...textParts(small.fields), groupSms, filePart('film.mp4', mp4(100_001))];
      const response = await sendUpload(small, form, { query });
      assert.equal(response.status, 413, response.text);
      assert.equal(response.body.code, 'FILE_TOO_LARGE');
      assert.deepEqual(response.body.details, { limit: 100_000, channel: 'SMS' });
    }
    await small.assertClean();
  });
});
