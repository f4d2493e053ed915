import assert from 'node:assert/strict';
import type { SandboxOptions } from '../../sandbox/index.ts';
import { closing, encodeForm, fixture, mp4, partHead } from '../helpers/multipart.ts';
import { beginUpload, type RawClient } from '../helpers/raw-client.ts';
import { filePart, sha256, textParts } from '../helpers/send-upload.ts';
import { createTestServer, settled, type TestServer } from '../helpers/test-server.ts';

/** The pieces of a form with one large video, to be sent one by one. */
function filmForm(testServer: TestServer, film: Buffer) {
  const fields = encodeForm(textParts(testServer.fields)).subarray(0, -closing().length);
  const opening = Buffer.concat([fields, partHead(filePart('a.mp4', ''))]);
  const ending = Buffer.concat([Buffer.from('\r\n'), closing()]);
  return { opening, ending, length: opening.length + film.length + ending.length };
}

const film = mp4(2_000_000);

/** Waits until Leadway has at least that much of the body. */
function untilForwarded(testServer: TestServer, bytes: number): Promise<void> {
  return testServer.sandbox.waitFor(([sent]) => (sent?.bodyBytes ?? 0) >= bytes);
}

function assertNoFailureInLog(testServer: TestServer): void {
  for (const entry of testServer.log.entries)
    assert(Number(entry['level'] === 'error') === 0, JSON.stringify(entry));
}

describe('a forwarded stream', () => {
  let testServer: TestServer;
  const build = async (env: Record<string, string> = {}, sandbox: SandboxOptions = {}) => {
    testServer = await createTestServer({ env, sandbox });
  };
  afterEach(() => testServer[Symbol.asyncDispose]());

  /** The log's entry with this message, once it is there. */
  async function logged(message: string): Promise<Record<string, unknown>> {
    const find = () => testServer.log.entries.find(({ msg }) => msg === message);
    await settled(() => find() !== undefined, message);
    return find() ?? {};
  }

  /** Disconnects once Leadway has everything, and expects the upload to succeed all the same. */
  async function leaveBeforeResponse(client: RawClient): Promise<void> {
    client.leave();
    await logged('request: the client disconnected');
    assert.equal(testServer.server.context.slots.taken, 1);
    const late = await logged('succeeded after the client had disconnected');
    assert.deepEqual([late['mode'], late['upstreamStatus']], ['forward', 200]);
    await testServer.assertClean({ completeUploads: 1 });
    assert.equal(testServer.sandbox.requests[0]?.left, false);
  }

  async function sendHalf(): Promise<RawClient> {
    const { opening, length } = filmForm(testServer, film);
    const client = await beginUpload(testServer, length);
    await client.send(Buffer.concat([opening, film.subarray(0, 1_000_000)]));
    await untilForwarded(testServer, 800_000);
    return client;
  }

  it('reaches Leadway while it is still coming, and ends when both have finished', async () => {
    await build();
    using client = await sendHalf();
    assert.equal(testServer.sandbox.requests[0]?.complete, false);
    await client.send(Buffer.concat([film.subarray(1_000_000), filmForm(testServer, film).ending]));
    const response = await client.response();
    assert.equal(response.status, 200, response.text);
    assert.equal(testServer.sandbox.requests[0]?.files?.[0]?.sha256, sha256(film));
    await testServer.assertClean({ completeUploads: 1 });
  });

  it('is cut when the client disconnects in the middle of the file', async () => {
    await build();
    using client = await sendHalf();
    client.leave();
    await testServer.sandbox.waitFor(([sent]) => sent?.aborted === true);
    await testServer.assertClean();
    assertNoFailureInLog(testServer);
  });

  it('is cut when the client only half-closes in the middle of the file', async () => {
    await build();
    using client = await sendHalf();
    client.socket.end();
    await testServer.sandbox.waitFor(([sent]) => sent?.aborted === true);
    await testServer.assertClean();
  });

  it('does not begin when the client disconnects in the middle of a field', async () => {
    await build();
    using client = await beginUpload(testServer, 10_000);
    await client.send('--test-boundary\r\nContent-Disposition: form-data; name="conversationId"\r\n\r\nsand');
    client.leave();
    await testServer.assertClean();
    assert.equal(testServer.sandbox.requests.length, 0);
    assertNoFailureInLog(testServer);
  });

  it('does not begin when the client disconnects in the middle of a small file', async () => {
    await build();
    const form = encodeForm([...textParts(testServer.fields), filePart('a.mp4', mp4(50_000))]);
    using client = await beginUpload(testServer, form.length);
    await client.send(form.subarray(0, 30_000));
    client.leave();
    await testServer.assertClean();
    assert.equal(testServer.sandbox.requests.length, 0);
  });

  it('is cut when the client disconnects in a field behind the file', async () => {
    await build();
    const { opening } = filmForm(testServer, film);
    using client = await beginUpload(testServer, null);
    const late = '\r\n--test-boundary\r\nContent-Disposition: form-data; name="channel"\r\n\r\nSM';
    const body = Buffer.concat([opening, film, Buffer.from(late)]);
    await client.send(`${body.length.toString(16)}\r\n`);
    await client.send(body);
    await untilForwarded(testServer, film.length);
    client.leave();
    await testServer.sandbox.waitFor(([sent]) => sent?.aborted === true);
    await testServer.assertClean();
  });

  it('runs to its end when the client disconnects after the commit, keeps its slot, and tells the log', async () => {
    await build({}, { fault: 'slow-headers' });
    const { opening, ending, length } = filmForm(testServer, film);
    using client = await beginUpload(testServer, length);
    await client.send(Buffer.concat([opening, film, ending]));
    await testServer.sandbox.waitFor(([sent]) => sent?.complete === true);
    await leaveBeforeResponse(client);
    assertNoFailureInLog(testServer);
  });

  it('of a held upload runs to its end when the client disconnects while Leadway thinks', async () => {
    await build({}, { fault: 'slow-headers' });
    const form = encodeForm([...textParts(testServer.fields), filePart('a.png', fixture('picture.png'))]);
    using client = await beginUpload(testServer, form.length);
    await client.send(form);
    await testServer.sandbox.waitFor(([sent]) => sent?.complete === true);
    await leaveBeforeResponse(client);
  });

  it('that is committed ends at UPSTREAM_TIMEOUT_MS when the client disconnects and Leadway never responds', async () => {
    await build({ UPSTREAM_TIMEOUT_MS: '1000' }, { fault: 'never-answers' });
    const form = encodeForm([...textParts(testServer.fields), filePart('a.png', fixture('picture.png'))]);
    using client = await beginUpload(testServer, form.length);
    await client.send(form);
    await testServer.sandbox.waitFor(([sent]) => sent?.complete === true);
    client.leave();
    const failed = await logged('failed after the client had disconnected');
    assert.equal(failed['code'], 'UPSTREAM_TIMEOUT');
    await testServer.assertClean({ completeUploads: 1 });
  });

  it('responds at once when Leadway disconnects in the middle of the file, while the client is still sending', async () => {
    await build({}, { fault: 'reset-mid-upload' });
    const { opening, length } = filmForm(testServer, film);
    using client = await beginUpload(testServer, length);
    await client.send(Buffer.concat([opening, film.subarray(0, 500_000)]));
    const response = await client.response();
    assert.equal(response.status, 502, response.text);
    assert.equal(response.body.code, 'UPSTREAM_ABORTED');
    assert.equal(response.body.retryable, true);
    assert.equal(response.headers['connection'], 'close');
    // The rest of the body is read, then the connection is closed.
    await client.send(film.subarray(500_000));
    assert.equal(client.socket.destroyed, false);
    await client.send(filmForm(testServer, film).ending);
    await client.closed;
    await testServer.assertClean();
  });

  it('responds with 504 when Leadway stops reading, and not before the client was held back', async () => {
    await build({ UPSTREAM_TIMEOUT_MS: '300', FORWARD_MAX_BYTES: '60000000' }, { fault: 'stops-reading' });
    const long = mp4(40_000_000);
    const { opening, length } = filmForm(testServer, long);
    using client = await beginUpload(testServer, length);
    void client.send(Buffer.concat([opening, long]));
    const response = await client.response();
    assert.equal(response.status, 504, response.text);
    assert.equal(response.body.code, 'UPSTREAM_TIMEOUT');
    // Leadway, which reads nothing, does not see that the connection was cut.
    assert.equal(testServer.sandbox.requests[0]?.complete, false);
    await settled(() => testServer.server.context.slots.taken === 0, 'every upload slot is free');
  });

  it('responds with 408 when the client stops sending, and cuts what Leadway has', async () => {
    await build({ UPLOAD_IDLE_TIMEOUT_MS: '200' });
    using client = await sendHalf();
    const response = await client.response();
    assert.equal(response.status, 408, response.text);
    assert.equal(response.body.code, 'REQUEST_TIMEOUT');
    await testServer.sandbox.waitFor(([sent]) => sent?.aborted === true);
    client.leave();
    await testServer.assertClean();
  });
});
