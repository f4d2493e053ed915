import assert from 'node:assert/strict';
import { loadConfig } from '../../server/config/config.ts';
import { createLogger } from '../../server/logger.ts';
import { startServer } from '../../server/server.ts';
import { LogSink } from '../helpers/log-sink.ts';
import { encodeForm, FORM_TYPE, mp4 } from '../helpers/multipart.ts';
import { filePart, textParts } from '../helpers/send-upload.ts';
import { createTestServer, settled, type TestServer } from '../helpers/test-server.ts';
import { assertError } from './errors/assert-error.ts';
import { dial, type Wire, type WireResponse } from './http/wire.ts';

const BEGUN = `POST /api/messages/upload HTTP/1.1\r\nHost: localhost\r\nContent-Type: ${FORM_TYPE}\r\nContent-Length: 1000\r\n\r\n`;

const CONFIG = 'GET /api/config HTTP/1.1\r\nHost: localhost\r\n\r\n';
const READY = 'GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n';
const AN_HOUR = 3_600_000;

/** Ends a shutdown when the test does. */
class Hurry extends AbortController implements Disposable {
  [Symbol.dispose](): void {
    this.abort();
  }
}

/** An upload that is in flight, of which the last byte is held back. */
async function beginUpload(testServer: TestServer): Promise<{ wire: Wire; finish(): void } & Disposable> {
  const upload = uploadOf(testServer);
  const wire = await dial(testServer.url, upload.subarray(0, -1));
  await settled(() => testServer.server.context.slots.taken === 1, 'the upload has begun');
  return {
    wire,
    finish: () => wire.send(upload.subarray(-1)),
    [Symbol.dispose]: () => wire[Symbol.dispose](),
  };
}

function uploadOf({ fields }: TestServer): Buffer {
  const form = encodeForm([...textParts(fields), filePart('film.mp4', mp4(300_000))]);
  const head = `POST /api/messages/upload HTTP/1.1\r\nHost: localhost\r\nContent-Type: ${FORM_TYPE}\r\nContent-Length: ${form.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), form]);
}

/** Reads a response that must say that it is the last one of its connection, and be that. */
async function assertLastResponse(wire: Wire, status: number): Promise<WireResponse> {
  const response = await wire.response();
  assert.equal(response.status, status, response.body);
  assert.equal(response.headers['connection'], 'close');
  await wire.closed;
  return response;
}

describe('a server', () => {
  it('stops at once when no request is in flight', async () => {
    await using testServer = await createTestServer();
    assert.equal(await testServer.server.drain({ graceMs: AN_HOUR }), true);
    assert.equal(testServer.server.openConnections(), 0);
    await assert.rejects(fetch(`${testServer.url}/healthz`));
  });

  it('serves requests during the shutdown delay, and says Connection: close in each response', async () => {
    await using testServer = await createTestServer();
    using kept = await dial(testServer.url, CONFIG);
    assert.equal((await kept.response()).headers['connection'], 'keep-alive');
    using busy = await beginUpload(testServer);
    using hurry = new Hurry();
    const stopped = testServer.server.drain({ delayMs: AN_HOUR, graceMs: AN_HOUR, hurry: hurry.signal });

    kept.send(CONFIG);
    await assertLastResponse(kept, 200);
    using fresh = await dial(testServer.url, CONFIG);
    await assertLastResponse(fresh, 200);
    using probe = await dial(testServer.url, READY);
    const ready = await assertLastResponse(probe, 503);
    assert.deepEqual((JSON.parse(ready.body) as { reasons: unknown }).reasons, ['draining']);
    using upload = await dial(testServer.url, uploadOf(testServer));
    await assertLastResponse(upload, 200);
    busy.finish();
    await assertLastResponse(busy.wire, 200);

    hurry.abort();
    assert.equal(await stopped, false);
    await testServer.assertClean({ completeUploads: 2 });
  });

  it('loses no pipelined request during the shutdown delay', async () => {
    await using testServer = await createTestServer();
    using wire = await dial(testServer.url, CONFIG);
    await wire.response();
    using hurry = new Hurry();
    const stopped = testServer.server.drain({ delayMs: AN_HOUR, graceMs: AN_HOUR, hurry: hurry.signal });
    const count = 20; // more than are handled at a time
    wire.send(CONFIG.repeat(count));
    for (let i = 0; i < count; i += 1) {
      const { status, headers } = await wire.response();
      assert.equal(status, 200);
      assert.equal(headers['connection'], i === count - 1 ? 'close' : 'keep-alive');
    }
    await wire.closed;
    hurry.abort();
    await stopped;
  });

  it('then closes its listener and idle connections, and lets uploads in flight finish', async () => {
    await using testServer = await createTestServer();
    using idle = await dial(testServer.url, CONFIG);
    await idle.response();
    using busy = await beginUpload(testServer);
    const stopped = testServer.server.drain({ delayMs: 1, graceMs: AN_HOUR });
    await idle.closed;
    await assert.rejects(fetch(`${testServer.url}/readyz`));
    busy.finish();
    await assertLastResponse(busy.wire, 200);
    assert.equal(await stopped, true);
    await testServer.assertClean({ completeUploads: 1 });
  });

  it('rejects a request that still arrives on a busy connection with DRAINING', async () => {
    await using testServer = await createTestServer();
    using busy = await beginUpload(testServer);
    const stopped = testServer.server.drain({ graceMs: AN_HOUR });
    await settled(() => testServer.server.context.lifecycle.phase === 'draining', 'the delay is over');
    busy.finish();
    busy.wire.send(CONFIG);
    assert.equal((await busy.wire.response()).status, 200);
    const rejection = await busy.wire.response();
    assert.equal(assertError(rejection, 'DRAINING').retryAfterMs, 2_000);
    assert.equal(rejection.headers['connection'], 'close');
    assert.equal(await stopped, true);
  });

  it('cuts what outlasts the grace, and says so', async () => {
    await using testServer = await createTestServer();
    using busy = await beginUpload(testServer);
    assert.equal(await testServer.server.drain({ graceMs: 50 }), false);
    await busy.wire.closed;
    await testServer.assertClean();
    const line = testServer.log.entries.find(({ route }) => String(route).endsWith('/messages/upload'));
    assert.equal(line?.msg, 'request: cut off by the shutdown', 'the client is not to blame');
  });

  it('cuts it at once when hurried, in the delay too', async () => {
    for (const delayMs of [0, AN_HOUR]) {
      await using testServer = await createTestServer();
      using busy = await beginUpload(testServer);
      using hurry = new Hurry();
      const stopped = testServer.server.drain({ delayMs, graceMs: AN_HOUR, hurry: hurry.signal });
      hurry.abort();
      assert.equal(await stopped, false);
      await busy.wire.closed;
    }
  });

  it('lets a client that is rejected while it drains read the response, body and all', async () => {
    await using testServer = await createTestServer();
    testServer.server.context.lifecycle.markDraining();
    using wire = await dial(testServer.url, `${BEGUN}--`);
    assertError(await wire.response(), 'DRAINING');
    const drained = testServer.server.drain({ graceMs: 1_000 });
    wire.send(Buffer.alloc(998));
    wire.socket.once('error', assert.fail); // a reset
    assert.equal(await drained, true);
    await wire.closed;
  });

  it('leaves nothing behind when its port is taken', async () => {
    await using testServer = await createTestServer();
    const port = new URL(testServer.url).port;
    const loaded = loadConfig({
      HOST: '127.0.0.1',
      PORT: port,
      LEADWAY_TOKEN: 'token',
      LEADWAY_LOCATION_ID: 'location',
    });
    assert(loaded.ok);
    const logger = await createLogger({ level: 'silent', destination: new LogSink() });
    await assert.rejects(startServer({ ...loaded, logger }), { code: 'EADDRINUSE' });
  });

  for (const [host, listensOn, url = listensOn] of [
    ['127.0.0.1', /^http:\/\/127\.0\.0\.1:\d+$/],
    ['0.0.0.0', /^http:\/\/0\.0\.0\.0:\d+$/, /^http:\/\/127\.0\.0\.1:\d+$/],
    ['::1', /^http:\/\/\[::1\]:\d+$/],
    ['::', /^http:\/\/\[::\]:\d+$/, /^http:\/\/127\.0\.0\.1:\d+$/],
    ['localhost', /^http:\/\/(127\.0\.0\.1|\[::1\]):\d+$/],
  ] as const) {
    it(`tells where it listens and an address that works, on ${host}`, async () => {
      await using testServer = await createTestServer({ env: { HOST: host } });
      assert.match(testServer.server.listensOn, listensOn);
      assert.match(testServer.url, url);
      assert.equal((await fetch(`${testServer.url}/readyz`)).status, 200);
    });
  }
});
