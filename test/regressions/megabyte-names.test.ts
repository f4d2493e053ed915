import assert from 'node:assert/strict';
import { cleanFileName } from '../../server/uploads/filename.ts';
import { assertRejected, initiate, seen } from '../helpers/direct-steps.ts';
import { createTestServer, type TestServer } from '../helpers/test-server.ts';

/** As long as a JSON body may be; these take minutes where they are composed or trimmed. */
const LONG = 900_000;
const NAMES: readonly (readonly [string, string])[] = [
  ['combining marks', `a${'\u0301\u0327'.repeat(LONG / 4)}.txt`],
  ['spaces and dots', `a${' .'.repeat(LONG / 2)}b.txt`],
  ['path parts', `${'a/'.repeat(LONG / 2)}b.txt`],
];

describe('a file name of a megabyte', () => {
  let testServer: TestServer;
  before(async () => {
    testServer = await createTestServer({ env: { ATTACHMENT_URL_ORIGINS: 'https://a.example' } });
  });
  after(() => testServer[Symbol.asyncDispose]());

  for (const [what, filename] of NAMES) {
    it(`is rejected before any work is done on its ${what}`, async () => {
      assertRejected(await initiate(testServer, { filename }), 400, 'BAD_FILENAME');
      assert.deepEqual(seen(testServer, 'initiate'), []);
    });
  }

  it('does not lead to a short name behind a path being rejected', () => {
    assert.equal(cleanFileName(`C:\\${'folder\\'.repeat(100)}a.txt`), 'a.txt');
  });

  it('has its like in a list of a hundred thousand addresses, which is not read either', async () => {
    const attachmentUrls = Array.from({ length: 50_000 }, () => 'https://a.example');
    const { field } = assertRejected(await initiate(testServer, { attachmentUrls }), 400, 'INVALID_FIELD');
    assert.equal(field, 'attachmentUrls');
  });
});
