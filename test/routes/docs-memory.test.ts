import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { gunzipSync } from 'node:zlib';
import request from 'supertest';
import { createTestServer, settled } from '../helpers/test-server.ts';

const DOCS = [
  '/openapi.json',
  '/docs',
  '/docs/initializer.js',
  '/docs/swagger-ui-bundle.js',
  '/docs/swagger-ui.css',
];

const openDescriptors = () => readdirSync('/proc/self/fd').length;

describe('the description of the API and its page', () => {
  it('are compressed for clients that ask for it, and are the same bytes', async () => {
    await using testServer = await createTestServer();
    for (const path of DOCS) {
      const plain = await rawGet(testServer.url, `/api${path}`, 'identity');
      const zipped = await rawGet(testServer.url, `/api${path}`, 'gzip, br');
      assert.doesNotMatch(plain.head, /^content-encoding:/im, path);
      assert.match(zipped.head, /^content-encoding: gzip\r?$/im, path);
      assert.match(zipped.head, /^vary: .*accept-encoding/im, path);
      assert.match(plain.head, /^vary: .*accept-encoding/im, path);
      assert(zipped.body.length < plain.body.length, path);
      assert.deepEqual(gunzipSync(zipped.body), plain.body, path);
    }
  });

  it('are sent again only when they have changed, and HEAD says the same without a body', async () => {
    await using testServer = await createTestServer();
    for (const path of [...DOCS, '/docs/favicon-32x32.png']) {
      const first = await request(testServer.api).get(path).set('Accept-Encoding', 'gzip').expect(200);
      const etag = first.headers['etag'] ?? '';
      assert.notEqual(etag, '', path);
      await request(testServer.api).get(path).set('If-None-Match', etag).expect(304);
      const head = await request(testServer.api)
        .head(path)
        .set('Accept-Encoding', 'gzip')
        .expect('ETag', etag);
      assert.equal(head.status, 200);
      assert.equal(head.headers['content-length'], first.headers['content-length'], path);
      assert.equal(head.text ?? '', '', path);
    }
  });

  it('count against the limit of the address, in every mode of AUTH', async () => {
    for (const env of [{}, { AUTH: 'header', TRUST_PROXY: '10.0.0.0/8' }]) {
      await using testServer = await createTestServer({ env: { RATE_LIMIT_MAX: '1', ...env } });
      for (let count = 0; count < 10; count += 1) {
        await request(testServer.api)
          .get(DOCS[count % DOCS.length] ?? '')
          .expect(200);
      }
      for (const path of DOCS) {
        const { body, headers } = await request(testServer.api).get(path).expect(429);
        assert.equal(body.code, 'RATE_LIMITED');
        assert.notEqual(headers['retry-after'], undefined);
      }
    }
  });

  it('are gone with API_DOCS=off, before a client has to sign in', async () => {
    for (const env of [{}, { AUTH: 'header', TRUST_PROXY: '10.0.0.0/8' }]) {
      await using testServer = await createTestServer({ env: { API_DOCS: 'off', ...env } });
      for (const path of [...DOCS, '/docs/']) {
        const { body } = await request(testServer.api).get(path).expect(404);
        assert.equal(body.code, 'NOT_FOUND', path);
        await request(testServer.api).head(path).expect(404);
      }
      await request(testServer.api).get('/config').expect(200);
    }
  });
});

describe('files that are pipelined and not read', () => {
  for (const [what, path] of [
    ['the bundle of the docs', '/api/docs/swagger-ui-bundle.js'],
    ['the style sheet of the page', '/styles/base.css'],
    ['a picture of the page', '/sample.png'],
    ['the module of the client', '/api/client.js'],
  ] as const) {
    it(`hold no descriptor: ${what}`, async () => {
      await using testServer = await createTestServer({ page: true, env: { RATE_LIMIT_MAX: '100000' } });
      await request(testServer.url).get(path).expect(200);
      const { port } = new URL(testServer.url);
      const before = openDescriptors();
      const socket = connect(Number(port), '127.0.0.1');
      socket.pause();
      const isResponded = once(socket, 'readable'); // so all of them, which came in one piece, have been begun
      socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`.repeat(200));
      await isResponded;
      // Both ends of the connection are in this process.
      await settled(() => openDescriptors() <= before + 2, 'no file is open');
      socket.destroy();
      await settled(() => testServer.server.openConnections() === 0, 'the connection is closed');
      await settled(() => openDescriptors() <= before, 'everything is closed');
    });
  }
});

/** A response as it is on the wire: libraries decompress what they get. */
async function rawGet(
  url: string,
  path: string,
  acceptEncoding: string,
): Promise<{ head: string; body: Buffer }> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.write(
    `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept-Encoding: ${acceptEncoding}\r\nConnection: close\r\n\r\n`,
  );
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(socket, 'close');
  const bytes = Buffer.concat(chunks);
  const end = bytes.indexOf('\r\n\r\n');
  return { head: bytes.subarray(0, end).toString(), body: bytes.subarray(end + 4) };
}
