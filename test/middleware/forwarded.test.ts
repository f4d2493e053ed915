import assert from 'node:assert/strict';
import request from 'supertest';
import { fixture, mp4 } from '../helpers/multipart.ts';
import { filePart, sendUpload, textParts } from '../helpers/send-upload.ts';
import { createTestServer, type TestServer } from '../helpers/test-server.ts';
import { assertError } from '../server/errors/assert-error.ts';

interface OwnUrls {
  readonly contentUrl: string;
  readonly completeUrl: string;
}

/** What the three kinds of response that hold our own URLs say, for a request with these headers. */
async function urlsFor(
  testServer: TestServer,
  headers: Readonly<Record<string, string>>,
): Promise<OwnUrls[]> {
  const { conversationId } = testServer.sandbox;
  const initiate = () => request(testServer.api).post('/messages/upload/initiate').set(headers);
  const described = await initiate().send({ conversationId, filename: 'a.png' }).expect(200);
  const byLeadingBytes = await initiate()
    .field('conversationId', conversationId)
    .attach('fileAttachment', fixture('picture.png'), 'a.png')
    .expect(200);
  const form = [...textParts({ conversationId, channel: 'WHATSAPP' }), filePart('a.mp4', mp4(3_000_000))];
  const upload = await sendUpload(testServer, form, { query: '?mode=direct', headers });
  assert.equal(upload.status, 202, upload.text);
  return [described.body, byLeadingBytes.body, upload.body as unknown as OwnUrls];
}

const warnings = (testServer: TestServer, pattern: RegExp) =>
  testServer.log.entries.filter(({ level, msg }) => level === 'warn' && pattern.test(String(msg)));

describe('X-Forwarded-Prefix', () => {
  const PATHS = { contentUrl: '/api/messages/upload/content', completeUrl: '/api/messages/upload/complete' };

  async function assertPrefix(testServer: TestServer, value: string, prefix: string): Promise<void> {
    for (const urls of await urlsFor(testServer, { 'X-Forwarded-Prefix': value })) {
      assert.equal(urls.contentUrl, prefix + PATHS.contentUrl, value);
      assert.equal(urls.completeUrl, prefix + PATHS.completeUrl, value);
    }
  }

  it('of a trusted proxy is put in front of the URLs in responses', async () => {
    await using testServer = await createTestServer({ env: { TRUST_PROXY: 'loopback' } });
    for (const prefix of ['/bff', '/a/b/c/d/e/f/g/h', '/v1.2/my_app-~x', '/..a', '/a..']) {
      await assertPrefix(testServer, prefix, prefix);
    }
    await assertPrefix(testServer, '', '');
    assert.deepEqual(warnings(testServer, /X-Forwarded-Prefix/), []);
  });

  it('that is not a plain path is ignored, and logged once', async () => {
    await using testServer = await createTestServer({ env: { TRUST_PROXY: 'loopback' } });
    for (const value of [
      '/',
      'bff',
      '/bff/',
      '//evil.example',
      '/a//b',
      'https://evil.example',
      '/..',
      '/../a',
      '/a/..',
      '/a/./b',
      '/a/../b',
      '/a/b/c/d/e/f/g/h/i',
      '/a, /b',
      '/a,/b',
      '/a%2fb',
      '/a?x',
      '/a#x',
      '/a b',
      '/é',
      `/${'x'.repeat(2_000)}//`,
    ]) {
      await assertPrefix(testServer, value, '');
    }
    const [warning, ...more] = warnings(testServer, /X-Forwarded-Prefix is ignored/);
    assert.equal(warning?.['prefix'], '/');
    assert.deepEqual(more, []);
  });

  it('of any other peer is ignored', async () => {
    await using testServer = await createTestServer();
    await assertPrefix(testServer, '/bff', '');
    await using elsewhere = await createTestServer({ env: { TRUST_PROXY: '203.0.113.7' } });
    await assertPrefix(elsewhere, '/bff', '');
  });
});

describe('a header of a proxy that is not trusted', () => {
  for (const header of ['X-Forwarded-For', 'X-Forwarded-Host', 'X-Forwarded-Proto', 'X-Forwarded-Prefix']) {
    it(`is logged once with the setting to use: ${header}`, async () => {
      for (const env of [{}, { TRUST_PROXY: '203.0.113.7' }]) {
        await using testServer = await createTestServer({ env });
        for (let count = 0; count < 3; count += 1) {
          await request(testServer.api).get('/config').set(header, 'https').expect(200);
        }
        const [warning, ...more] = warnings(testServer, /TRUST_PROXY=127\.0\.0\.1/);
        assert.equal(warning?.['header'], header.toLowerCase());
        assert.equal(warning?.['peer'], '127.0.0.1');
        assert.deepEqual(more, []);
      }
    });
  }

  it('is logged when it names the user, whom AUTH=header does not believe then', async () => {
    const auth = { AUTH: 'header', AUTH_USER_HEADER: 'X-Auth-User' };
    await using testServer = await createTestServer({ env: { ...auth, TRUST_PROXY: '203.0.113.7' } });
    await request(testServer.api).post('/messages/upload').set('X-Auth-User', 'maria').expect(401);
    assert.equal(warnings(testServer, /TRUST_PROXY=127\.0\.0\.1/)[0]?.['header'], 'x-auth-user');
    await using open = await createTestServer();
    await request(open.api).get('/config').set('X-Auth-User', 'maria').expect(200);
    assert.deepEqual(warnings(open, /TRUST_PROXY/), []);
  });

  it('is not logged when the proxy is trusted, and without such a header', async () => {
    await using testServer = await createTestServer({ env: { TRUST_PROXY: 'loopback' } });
    await request(testServer.api).get('/config').set('X-Forwarded-For', '192.0.2.1').expect(200);
    await using direct = await createTestServer();
    await request(direct.api).get('/config').expect(200);
    for (const { log } of [testServer, direct]) {
      assert(!log.lines.some((line) => line.includes('TRUST_PROXY')));
    }
  });
});

describe('a rejected origin', () => {
  it('is logged with the host and the setting that would allow it', async () => {
    await using testServer = await createTestServer();
    const { host } = new URL(testServer.url);
    for (const [origin, fix] of [
      ['https://app.example.com', 'ALLOWED_ORIGINS=https://app.example.com'],
      ['http://localhost:5173', 'ALLOWED_ORIGINS=http://localhost:5173'],
      ['null', undefined],
      ['https://app.example.com/path', undefined],
    ] as const) {
      await request(testServer.api).post('/messages/upload').set('Origin', origin).expect(403);
      const line = testServer.log.entries.find((entry) => entry['origin'] === origin);
      assert.equal(line?.['code'], 'ORIGIN_NOT_ALLOWED');
      assert.equal(line['host'], host);
      assert.equal(line['fix'], fix);
    }
  });

  for (const [what, env, headers, fix] of [
    [
      'of a proxy that is not trusted',
      {},
      { 'X-Forwarded-Host': 'app.example.com' },
      'TRUST_PROXY=127.0.0.1',
    ],
    [
      'of the first of two proxies',
      { TRUST_PROXY: '203.0.113.7' },
      { 'X-Forwarded-Host': 'app.example.com, lb.internal' },
      'TRUST_PROXY=127.0.0.1',
    ],
    [
      'of a proxy that names another host',
      {},
      { 'X-Forwarded-Host': 'www.example.com' },
      'ALLOWED_ORIGINS=https://app.example.com',
    ],
    [
      'of a proxy that says only the scheme',
      {},
      { 'X-Forwarded-Proto': 'https' },
      'ALLOWED_ORIGINS=https://app.example.com',
    ],
    [
      'of a page that the browser knows to be foreign',
      {},
      { 'X-Forwarded-Host': 'app.example.com', 'Sec-Fetch-Site': 'cross-site' },
      'ALLOWED_ORIGINS=https://app.example.com',
    ],
    [
      'of a proxy that is trusted already',
      { TRUST_PROXY: 'loopback' },
      { 'X-Forwarded-Host': 'www.example.com' },
      'ALLOWED_ORIGINS=https://app.example.com',
    ],
  ] as const) {
    it(`names the setting that lets the page in, ${what}: ${fix}`, async () => {
      await using testServer = await createTestServer({ env });
      const call = request(testServer.api).post('/messages/upload').set('Origin', 'https://app.example.com');
      await call.set(headers).expect(403);
      const line = testServer.log.entries.find(({ code }) => code === 'ORIGIN_NOT_ALLOWED');
      assert.equal(line?.['fix'], fix);
      // It is true: with that setting, the same request passes.
      const [name = '', value = ''] = fix.split('=');
      await using fixed = await createTestServer({ env: { ...env, [name]: value } });
      const again = request(fixed.api).post('/messages/upload').set('Origin', 'https://app.example.com');
      assertError(await again.set(headers), 'NOT_MULTIPART');
    });
  }

  it('is not in the lines of other requests', async () => {
    await using testServer = await createTestServer();
    await request(testServer.api).get('/config').set('Origin', 'https://app.example.com').expect(200);
    assert(!testServer.log.lines.some((line) => line.includes('"fix"')));
  });

  it('is logged likewise when the host is not accepted', async () => {
    await using testServer = await createTestServer();
    await request(testServer.api).get('/config').set('Host', 'bff:3000').expect(403);
    const line = testServer.log.entries.find(({ code }) => code === 'ORIGIN_NOT_ALLOWED');
    assert.equal(line?.['host'], 'bff:3000');
    assert.equal(line['fix'], 'ALLOWED_ORIGINS=http://bff:3000');
  });
});
