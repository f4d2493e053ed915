import assert from 'node:assert/strict';
import { encodeForm, FORM_TYPE, mp4 } from '../helpers/multipart.ts';
import { filePart, textParts } from '../helpers/send-upload.ts';
import { createTestServer, settled, type TestServer } from '../helpers/test-server.ts';
import { assertError } from '../server/errors/assert-error.ts';
import { dial } from '../server/http/wire.ts';

describe('a body that stops coming', () => {
  let testServer: TestServer;
  before(async () => {
    testServer = await createTestServer({ env: { UPLOAD_IDLE_TIMEOUT_MS: '150' } });
  });
  afterEach(() => testServer.assertClean());
  after(() => testServer[Symbol.asyncDispose]());

  it('gets a 408 in the middle of a file, and the request to Leadway is destroyed', async () => {
    const form = encodeForm([...textParts(testServer.fields), filePart('film.mp4', mp4(1_000_000))]);
    using wire = await dial(
      testServer.url,
      `POST /api/messages/upload HTTP/1.1\r\nHost: localhost\r\nContent-Type: ${FORM_TYPE}\r\nContent-Length: ${form.length}\r\n\r\n`,
    );
    wire.send(form.subarray(0, 600_000));
    assertError(await wire.response(), 'REQUEST_TIMEOUT');
    await testServer.sandbox.waitFor(([request]) => request?.aborted === true);
    assert.equal(wire.socket.destroyed, false); // the rest may still come and is thrown away
  });

  const jsonPaths = ['initiate', 'complete'];
  for (const path of jsonPaths) {
    it(`gets a 408 in the middle of the JSON of ${path}`, async () => {
      using wire = await dial(
        testServer.url,
        `POST /api/messages/upload/${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"a":\r\n`,
      );
      assertError(await wire.response(), 'REQUEST_TIMEOUT');
    });
  }

  it('gets a 408 when it never begins after 100 Continue', async () => {
    using wire = await dial(
      testServer.url,
      'POST /api/messages/upload/complete HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n',
    );
    await wire.interim();
    assertError(await wire.response(), 'REQUEST_TIMEOUT');
  });

  it('is read to its end after a rejection, and the connection closed', async () => {
    const body = Buffer.alloc(300_000);
    using wire = await dial(
      testServer.url,
      `POST /api/nothing HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\n\r\n`,
    );
    const rejected = await wire.response();
    assertError(rejected, 'NOT_FOUND');
    assert.equal(rejected.headers['connection'], 'close');
    wire.send(body);
    await wire.closed;
    assert.equal(wire.rest, '');
  });

  it('is closed upon when more than 128 MiB follow a rejection', async () => {
    using wire = await dial(
      testServer.url,
      'POST /api/nothing HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000000000\r\n\r\n',
    );
    assertError(await wire.response(), 'NOT_FOUND');
    const timer = setInterval(() => wire.send(Buffer.alloc(500_000)), 5);
    try {
      await wire.closed;
    } finally {
      clearInterval(timer);
    }
  });

  it('is rejected without 100 Continue where it need not come', async () => {
    using wire = await dial(
      testServer.url,
      'POST /api/messages/upload HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n',
    );
    await settled(() => wire.rest.includes('\r\n\r\n'), 'a response came');
    assert.match(wire.rest, /^HTTP\/1\.1 415 /);
  });
});
