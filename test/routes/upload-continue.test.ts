import assert from 'node:assert/strict';
import { encodeForm, fixture, type Part } from '../helpers/multipart.ts';
import { beginUpload, type RawClient } from '../helpers/raw-client.ts';
import { filePart, textParts } from '../helpers/send-upload.ts';
import { createTestServer, type TestServer } from '../helpers/test-server.ts';

const EXPECT = 'Expect: 100-continue';

describe('an upload whose client asks before it sends', () => {
  const form = (testServer: TestServer, extra: readonly Part[] = []): Buffer =>
    encodeForm([...textParts(testServer.fields), ...extra, filePart('a.png', fixture('picture.png'))]);
  const isTold = (client: RawClient) => client.received.startsWith('HTTP/1.1 100 Continue');

  it('is let go on, and uploaded', async () => {
    await using testServer = await createTestServer();
    const body = form(testServer);
    using client = await beginUpload(testServer, body.length, [EXPECT]);
    assert(await client.until((received) => received.includes('\r\n\r\n')));
    assert.equal(client.received, 'HTTP/1.1 100 Continue\r\n\r\n');
    await client.send(body);
    const response = await client.response();
    assert.equal(response.status, 200, response.text);
    await testServer.assertClean({ completeUploads: 1 });
  });

  it('may be rejected after that for what is in the body', async () => {
    await using testServer = await createTestServer();
    const body = form(testServer, [{ name: 'fileSize', content: '1' }]);
    using client = await beginUpload(testServer, body.length, [EXPECT]);
    await client.send(body);
    assert.equal((await client.response()).body.code, 'SIZE_MISMATCH');
    await testServer.assertClean();
  });

  it('is rejected without a 100 when nothing in the body could change it', async () => {
    const cases: [string, string[], string][] = [
      ['?mode=sideways', [], 'INVALID_FIELD'],
      ['?locationId=a%20b', [], 'INVALID_FIELD'],
      ['', ['Content-Encoding: gzip'], 'UNSUPPORTED_ENCODING'],
      ['', ['Origin: https://evil.example'], 'ORIGIN_NOT_ALLOWED'],
    ];
    await using testServer = await createTestServer();
    for (const [query, headers, code] of cases) {
      using client = await beginUpload(testServer, 1_000, [EXPECT, ...headers], query);
      const response = await client.response();
      assert.equal(response.body.code, code);
      assert(!isTold(client), `a 100 before ${code}`);
    }
    await testServer.assertClean();
  });

  it('is rejected without a 100 when all slots are taken, or its content type is wrong', async () => {
    await using testServer = await createTestServer({ env: { MAX_CONCURRENT_UPLOADS: '1' } });
    using first = await beginUpload(testServer, 1_000, [EXPECT]);
    assert(await first.until(() => isTold(first)));
    using second = await beginUpload(testServer, 1_000, [EXPECT]);
    assert.equal((await second.response()).body.code, 'BUSY');
    assert(!isTold(second));
    first.leave();
    await testServer.assertClean();
  });

  it('is rejected with 417 for another expectation', async () => {
    await using testServer = await createTestServer();
    using client = await beginUpload(testServer, 1_000, ['Expect: miracles']);
    assert.equal((await client.response()).body.code, 'EXPECTATION_FAILED');
    assert(!isTold(client));
    await testServer.assertClean();
  });
});
