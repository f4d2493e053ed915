import assert from 'node:assert/strict';
import { setTimeout as wait } from 'node:timers/promises';
import { encodeForm, FORM_TYPE, fixture, mp4 } from '../helpers/multipart.ts';
import { findProgram } from '../helpers/programs.ts';
import { type ApiResponse, filePart, textParts } from '../helpers/send-upload.ts';
import { createTestServer, type TestServer } from '../helpers/test-server.ts';
import { PROXIES } from './proxies.ts';
import { type Sending, send, type Transport } from './send.ts';
import { acceptedUploads, assertExpected, upload } from './uploads.ts';
import { describeProxies, itOverEach, withProxy } from './with-proxy.ts';

const MIB = 1024 * 1024;
const DOCUMENTED = PROXIES.filter(({ isDocumented }) => isDocumented);

describe('behind', function () {
  this.timeout(60_000);
  let testServer: TestServer;
  beforeEach(async () => {
    testServer = await createTestServer({ env: { TRUST_PROXY: '1' } });
  });
  afterEach(() => testServer[Symbol.asyncDispose]());

  describeProxies(PROXIES, (setup) => {
    // One transport, the one that needs most of the proxy: the rest is `npm run matrix`'s.
    it('uploads of every mode succeed', () =>
      withProxy(setup, 'HTTP/2 with TLS', testServer.url, async (proxy) => {
        for (const item of acceptedUploads(testServer.fields)) {
          assertExpected(await send(proxy, 'HTTP/2 with TLS', item.sending), item);
        }
        await testServer.assertClean({ completeUploads: 1 });
      }));
  });

  describeProxies(DOCUMENTED, (setup) => {
    itOverEach('a client that disconnects ends its request to Leadway and frees its slot', (transport) =>
      withProxy(setup, transport, testServer.url, async (proxy) => {
        const disconnect = new AbortController();
        const { sending, rest } = heldBack(testServer, 4 * MIB);
        const sent = send(proxy, transport, { ...sending, signal: disconnect.signal });
        const { requests } = testServer.sandbox;
        await testServer.sandbox.waitFor(
          () => requests.length === 1 && requests.every(({ bodyBytes }) => bodyBytes > MIB),
        );
        assert.equal(testServer.server.context.slots.taken, 1);
        disconnect.abort();
        await assert.rejects(sent);
        rest.resolve();
        await testServer.assertClean();
        assert.deepEqual(
          requests.map(({ aborted }) => aborted),
          [true],
        );
      }),
    );

    itOverEach(
      'a page of the same origin may upload, and no client can claim another origin, address or prefix',
      (transport) =>
        withProxy(setup, transport, testServer.url, async (proxy) => {
          const from = async (headers: Readonly<Record<string, string>>): Promise<ApiResponse> => {
            const sending = upload(testServer.fields, 'note.txt', Buffer.from('A note.'));
            return send(proxy, transport, { ...sending, headers: { ...sending.headers, ...headers } });
          };
          assert.equal((await from({ origin: proxy.url })).status, 200);
          const foreign = { origin: 'https://evil.example', 'x-forwarded-host': 'evil.example' };
          for (const scheme of ['http', 'https']) {
            const { status, body } = await from({ ...foreign, 'x-forwarded-proto': scheme });
            assert.equal(`${status} ${body.code}`, '403 ORIGIN_NOT_ALLOWED');
          }
          await from({ 'x-forwarded-for': '203.0.113.9' });
          const sending = upload(testServer.fields, 'photo.png', fixture('picture.png'), '?mode=direct');
          const headers = { ...sending.headers, 'x-forwarded-prefix': '/evil' };
          const direct = await send(proxy, transport, { ...sending, headers });
          assert.equal(direct.status, 202);
          assert(!direct.text.includes('/evil'), direct.text);
          const addresses = testServer.log.entries.filter(({ msg }) => msg === 'request').map(({ ip }) => ip);
          assert.deepEqual([...new Set(addresses)], ['127.0.0.1']);
        }),
    );

    itOverEach('an upload larger than every limit is rejected as JSON', (transport) =>
      withProxy(setup, transport, testServer.url, async (proxy) => {
        const { status, body } = await send(proxy, transport, endless(testServer, 1024 * MIB));
        assert.equal(status, 413);
        assert.match(String(body.code), /^(?:FILE|BODY)_TOO_LARGE$/);
      }),
    );
  });

  it('every one of them, an upload of 40 s succeeds', async function () {
    this.timeout(90_000);
    const installed = PROXIES.filter(({ program }) => findProgram(program) !== undefined);
    await Promise.all(
      installed.map((setup, index) => {
        const transport: Transport = index % 2 === 0 ? 'HTTP/1.1 with TLS' : 'HTTP/2 with TLS';
        return withProxy(setup, transport, testServer.url, async (proxy) => {
          assert.equal((await send(proxy, transport, slow(testServer, 40))).status, 200, setup.name);
        });
      }),
    );
    await testServer.assertClean({ completeUploads: installed.length });
  });
});

/** An upload whose second half waits until `rest` is resolved. */
function heldBack(
  testServer: TestServer,
  bytes: number,
): { sending: Sending; rest: PromiseWithResolvers<void> } {
  const rest = Promise.withResolvers<void>();
  const body = form(testServer.fields, bytes);
  const half = body.length / 2;
  const pieces = async function* (): AsyncGenerator<Buffer> {
    yield body.subarray(0, half);
    await rest.promise;
    yield body.subarray(half);
  };
  return { sending: sendingOf(body.length, pieces()), rest };
}

/** An upload of a file of 1 MiB that takes so many seconds. */
function slow(testServer: TestServer, seconds: number): Sending {
  const body = form(testServer.fields, MIB);
  const pieces = async function* (): AsyncGenerator<Buffer> {
    const size = Math.ceil(body.length / seconds);
    for (let at = 0; at < body.length; at += size) {
      yield body.subarray(at, at + size);
      await wait(1_000);
    }
  };
  return sendingOf(body.length, pieces());
}

/** An upload that announces so many bytes and sends them until it gets a response. */
function endless(testServer: TestServer, bytes: number): Sending {
  const opening = form({ ...testServer.fields, channel: 'SMS' }, 2 * MIB);
  const piece = Buffer.alloc(64 * 1024, 0x41);
  const pieces = async function* (): AsyncGenerator<Buffer> {
    yield opening;
    for (let sent = opening.length; sent < bytes; sent += piece.length) yield piece;
  };
  return sendingOf(bytes, pieces());
}

function form(fields: TestServer['fields'], bytes: number): Buffer {
  return encodeForm([...textParts(fields), filePart('film.mp4', mp4(bytes))]);
}

function sendingOf(length: number, body: Sending['body']): Sending {
  const headers = { 'content-type': FORM_TYPE, 'content-length': String(length) };
  return { path: '/api/messages/upload', headers, body };
}
