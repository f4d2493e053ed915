import assert from 'node:assert/strict';
import { fixture, mp4 } from '../helpers/multipart.ts';
import { filePart, sendUpload, sha256, textParts } from '../helpers/send-upload.ts';
import { createTempFile, type TempFile } from '../helpers/temp-file.ts';
import { createTestServer, type TestServer } from '../helpers/test-server.ts';

const OLD = 'pit-old-token-0001';
const NEW = 'pit-new-token-0002';
const png = fixture('picture.png');

describe('a token that is rotated while the server runs', () => {
  let file: TempFile;
  let testServer: TestServer;
  beforeEach(async () => {
    file = await createTempFile(OLD);
    testServer = await createTestServer({
      env: { LEADWAY_TOKEN: '', LEADWAY_TOKEN_FILE: file.path },
      sandbox: { token: OLD },
    });
    // The file is read in the background at the start; an upload later, that is over.
    assert.equal((await sendUpload(testServer, form())).status, 200);
    testServer.sandbox.requests.length = 0;
  });
  afterEach(async () => {
    await testServer[Symbol.asyncDispose]();
    await file[Symbol.asyncDispose]();
  });
  const form = (content = png, name = 'a.png') => [...textParts(testServer.fields), filePart(name, content)];
  const sentTokens = () => testServer.sandbox.requests.map(({ headers }) => headers['authorization']);

  it('makes a small upload go out once more, with the new token', async () => {
    testServer.sandbox.setToken(NEW);
    await file.write(`${NEW}\n`);
    const response = await sendUpload(testServer, form());
    assert.equal(response.status, 200, response.text);
    assert.deepEqual(sentTokens(), [`Bearer ${OLD}`, `Bearer ${NEW}`]);
    assert.equal(testServer.sandbox.requests[1]?.files?.[0]?.sha256, sha256(png));
    const [rejected] = testServer.sandbox.requests;
    assert.equal(rejected?.status, 401);
    assert(!testServer.log.lines.some((line) => line.includes(OLD) || line.includes(NEW)));
  });

  it('is used for the next upload when this one was streamed', async () => {
    testServer.sandbox.setToken(NEW);
    await file.write(NEW);
    const film = mp4(600_000);
    const first = await sendUpload(testServer, form(film, 'a.mp4'));
    assert.equal(first.status, 502, first.text);
    assert.equal(first.body.code, 'UPSTREAM_AUTH');
    const second = await sendUpload(testServer, form(film, 'a.mp4'));
    assert.equal(second.status, 200, second.text);
    assert.deepEqual(sentTokens(), [`Bearer ${OLD}`, `Bearer ${NEW}`]);
  });

  it('is not tried again when it is still the same', async () => {
    testServer.sandbox.setToken(NEW);
    const response = await sendUpload(testServer, form());
    assert.equal(response.status, 502);
    assert.equal(response.body.code, 'UPSTREAM_AUTH');
    assert.equal(response.body.retryable, false);
    assert.equal(testServer.sandbox.requests.length, 1);
  });

  it('is tried once and no more when the new one is bad too', async () => {
    testServer.sandbox.setToken('pit-another-token-0003');
    await file.write(NEW);
    const response = await sendUpload(testServer, form());
    assert.equal(response.status, 502);
    assert.equal(response.body.code, 'UPSTREAM_AUTH');
    assert.equal(testServer.sandbox.requests.length, 2);
  });

  it('is not read again for a missing scope or a kind that is not accepted', async () => {
    await file.write(NEW);
    for (const fault of ['no-scope', 'auth-class'] as const) {
      testServer.sandbox.fault = fault;
      const before = testServer.sandbox.requests.length;
      const response = await sendUpload(testServer, form());
      assert.equal(response.body.code, 'UPSTREAM_AUTH');
      assert.equal(testServer.sandbox.requests.length, before + 1);
    }
  });

  it('stays in use when the file is broken or gone', async () => {
    for (const text of ['', 'two\nlines', 'bad token']) {
      await file.write(text);
      testServer.sandbox.fault = 'once-bad-token';
      const rejected = await sendUpload(testServer, form());
      assert.equal(rejected.body.code, 'UPSTREAM_AUTH', text);
      assert.equal((await sendUpload(testServer, form())).status, 200);
    }
  });
});
