import assert from 'node:assert/strict';
import { connectTo } from '../helpers/raw-client.ts';
import { createTestServer, type TestServer } from '../helpers/test-server.ts';

const LISTED = 'https://App.example.com:8443,http://[2001:db8::1],https://ñandú.example';

async function get(
  testServer: TestServer,
  host: string,
  path = '/api/config',
  lines: readonly string[] = [],
) {
  using client = await connectTo(testServer);
  await client.send([`GET ${path} HTTP/1.1`, `Host: ${host}`, ...lines, '', ''].join('\r\n'));
  return await client.response();
}

describe('the Host header outside production', () => {
  let testServer: TestServer;
  before(async () => {
    testServer = await createTestServer({ page: true, env: { ALLOWED_ORIGINS: LISTED } });
  });
  after(() => testServer[Symbol.asyncDispose]());

  for (const host of [
    'localhost',
    'localhost:3000',
    'LocalHost',
    'localhost.',
    'localhost.:3000',
    'my-app.localhost:5173',
    'a.b.localhost',
    '127.0.0.1',
    '127.0.0.1:1',
    '192.168.1.7:3000',
    '203.0.113.9',
    '[::1]',
    '[::1]:3000',
    '[2001:DB8::7]:80',
    '[::ffff:127.0.0.1]',
    'app.example.com',
    'app.example.com:3000',
    'APP.example.com.',
    'xn--and-6ma2c.example',
  ]) {
    it(`may be ${host}`, async () => assert.equal((await get(testServer, host)).status, 200));
  }

  for (const host of [
    'evil.example',
    'evil.example:3000',
    'localhost.evil.example',
    'evillocalhost',
    'localhost..',
    'app.example.com.evil.example',
    'evil-app.example.com',
    'sub.app.example.com',
    'example.com',
    '127.0.0.1.evil.example',
    '127.0.0.1.nip.io',
    'localhos%74',
    '[::1.evil]',
    '[::::]',
    '',
  ]) {
    it(`may not be ${host || 'empty'}`, async () => {
      const { status, body } = await get(testServer, host);
      if (host === '[::1.evil]') return assert.equal(status, 400);
      assert.equal(status, 403);
      assert.equal(body.code, 'ORIGIN_NOT_ALLOWED');
      assert(body.message?.includes(`"${host}"`) && body.message.includes('ALLOWED_ORIGINS'), body.message);
    });
  }

  it('is checked for everything but probes: the page, the docs, the client, what is not there', async () => {
    const paths = [
      '/',
      '/main.js',
      '/demo.json',
      '/nothing',
      '/api/docs',
      '/api/openapi.json',
      '/api/client.js',
    ];
    for (const path of [...paths, '/api/messages/upload']) {
      const { status, body } = await get(testServer, 'evil.example', path);
      assert.deepEqual([status, body.code], [403, 'ORIGIN_NOT_ALLOWED'], path);
    }
    for (const path of ['/healthz', '/readyz']) {
      assert.equal((await get(testServer, 'evil.example', path)).status, 200);
    }
  });

  it('is told in Spanish too', async () => {
    const { body } = await get(testServer, 'evil.example', '/api/config', ['Accept-Language: es']);
    assert.match(body.message ?? '', /no acepta el host "evil\.example"/);
  });

  it('is not quoted beyond what a host can be', async () => {
    const { body } = await get(testServer, `${'x'.repeat(2_000)}.example`);
    assert((body.message ?? '').length < 500);
  });

  it('is not what any proxy says it was: a page writes X-Forwarded-Host as it likes', async () => {
    await using proxied = await createTestServer({ env: { TRUST_PROXY: 'loopback' } });
    const forwarded = (host: string) => [`X-Forwarded-Host: ${host}`, `Forwarded: host=${host}`];
    assert.equal((await get(proxied, 'evil.example', '/api/config', forwarded('localhost'))).status, 403);
    assert.equal((await get(proxied, 'localhost', '/api/config', forwarded('app.example'))).status, 200);
  });

  it('may be missing from HTTP/1.0, which no browser speaks', async () => {
    using client = await connectTo(testServer);
    await client.send('GET /api/config HTTP/1.0\r\n\r\n');
    assert.equal((await client.response()).status, 200);
  });
});

describe('the Host header in production', () => {
  it('may be any', async () => {
    await using testServer = await createTestServer({ env: { NODE_ENV: 'production', AUTH: 'none' } });
    assert.equal((await get(testServer, 'anything.example')).status, 200);
  });
});
