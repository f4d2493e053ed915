import assert from 'node:assert/strict';
import request from 'supertest';
import type { ErrorCode } from '../../server/errors/codes.ts';
import { fixture } from '../helpers/multipart.ts';
import { createTestServer, type TestServer } from '../helpers/test-server.ts';
import { assertError } from '../server/errors/assert-error.ts';
import { dial } from '../server/http/wire.ts';

const LISTED = 'https://app.example.com';
const FOREIGN = 'https://evil.example';

function corsHeaders(headers: Readonly<Record<string, unknown>>): string[] {
  return Object.keys(headers).filter((name) => name.startsWith('access-control-'));
}

describe('who may call from a page', () => {
  let testServer: TestServer;
  before(async () => {
    testServer = await createTestServer({ env: { ALLOWED_ORIGINS: `${LISTED},http://localhost:5173` } });
  });
  afterEach(() => testServer.sandbox.requests.splice(0));
  after(() => testServer[Symbol.asyncDispose]());

  /** Origin and Sec-Fetch-Site of an upload, and whether it is let in. `own` stands for our own origin. */
  const matrix: readonly (readonly [string | null, string | null, boolean])[] = [
    [null, null, true],
    [null, 'same-origin', true],
    [null, 'none', true],
    [null, 'same-site', false],
    [null, 'cross-site', false],
    [null, 'nonsense', false],
    ['own', null, true],
    ['own', 'same-origin', true],
    ['own', 'cross-site', false],
    [LISTED, null, true],
    [LISTED, 'cross-site', true],
    [LISTED, 'same-site', true],
    ['http://localhost:5173', 'cross-site', true],
    [FOREIGN, null, false],
    [FOREIGN, 'cross-site', false],
    [FOREIGN, 'same-site', false],
    ['null', null, false],
    ['null', 'cross-site', false],
    [`${LISTED}.evil.example`, null, false],
    [`${LISTED}:8443`, null, false],
    ['http://app.example.com', null, false],
    [LISTED.toUpperCase(), null, false],
    [`${LISTED}/`, null, false],
    [`${FOREIGN}, ${LISTED}`, null, false],
    ['not an origin', null, false],
  ];
  for (const [origin, site, isAllowed] of matrix) {
    it(`${isAllowed ? 'lets in' : 'rejects'} Origin ${origin} with Sec-Fetch-Site ${site}`, async () => {
      const call = request(testServer.api).post('/messages/upload');
      if (origin !== null) void call.set('Origin', origin === 'own' ? testServer.url : origin);
      if (site !== null) void call.set('Sec-Fetch-Site', site);
      const response = await call
        .field(testServer.fields)
        .attach('fileAttachment', fixture('picture.png'), 'picture.png');
      if (isAllowed) assert.equal(response.status, 200);
      else assertError(response, 'ORIGIN_NOT_ALLOWED');
      assert.match(response.headers['vary'] ?? '', /\bOrigin\b/);
      await testServer.assertClean({ completeUploads: isAllowed ? 1 : 0 });
    });
  }

  it('lets reading be, which changes nothing and which CORS keeps from foreign pages', async () => {
    const response = await request(testServer.api).get('/config').set('Origin', FOREIGN).expect(200);
    assert.deepEqual(corsHeaders(response.headers), []);
  });

  it('does not fall over an HTTP/1.0 request with an Origin and no Host', async () => {
    using wire = await dial(
      testServer.url,
      `POST /api/messages/upload HTTP/1.0\r\nOrigin: ${FOREIGN}\r\nContent-Length: 0\r\n\r\n`,
    );
    assertError(await wire.response(), 'ORIGIN_NOT_ALLOWED');
  });

  describe('CORS', () => {
    const rejections: readonly (readonly [ErrorCode, string, 'get' | 'post'])[] = [
      ['NOT_MULTIPART', '/api/messages/upload', 'post'],
      ['NOT_FOUND', '/api/nothing', 'post'],
      ['METHOD_NOT_ALLOWED', '/api/messages/upload', 'get'],
      ['BAD_REQUEST', '/api/%zz', 'get'],
      ['URI_TOO_LONG', `/api/config?${'a'.repeat(9000)}`, 'get'],
    ];
    for (const [code, path, method] of rejections) {
      it(`lets a listed page read ${code}, and no other page`, async () => {
        const own = await request(testServer.url)[method](path).set('Origin', LISTED);
        assertError(own, code);
        assert.equal(own.headers['access-control-allow-origin'], LISTED);
        assert.equal(own.headers['access-control-allow-credentials'], 'true');
        assert.equal(
          own.headers['access-control-expose-headers'],
          'X-Request-Id,Retry-After,RateLimit,RateLimit-Policy',
        );
        const foreign = await request(testServer.url)[method](path).set('Origin', FOREIGN);
        assert(foreign.status >= 400);
        for (const { headers } of [own, foreign]) assert.match(headers['vary'] ?? '', /\bOrigin\b/);
        assert.deepEqual(corsHeaders(foreign.headers), []);
      });
    }

    it('responds to the preflight of a listed page', async () => {
      const { headers } = await request(testServer.api)
        .options('/messages/upload/content')
        .set('Origin', LISTED)
        .set('Access-Control-Request-Method', 'PUT')
        .set('Access-Control-Request-Headers', 'upload-ticket,content-type')
        .expect(204);
      assert.equal(headers['access-control-allow-origin'], LISTED);
      assert.match(headers['access-control-allow-methods'] ?? '', /\bPUT\b/);
      assert.match(headers['access-control-allow-headers'] ?? '', /upload-ticket/);
      assert.match(headers['vary'] ?? '', /Access-Control-Request-Headers/);
    });

    for (const origin of [FOREIGN, 'null', 'own', `${LISTED}.evil.example`]) {
      it(`responds to the preflight of ${origin} without any leave`, async () => {
        const { headers } = await request(testServer.api)
          .options('/messages/upload')
          .set('Origin', origin === 'own' ? testServer.url : origin)
          .set('Access-Control-Request-Method', 'POST')
          .expect(204);
        assert.deepEqual(corsHeaders(headers), []);
        assert.match(headers['vary'] ?? '', /\bOrigin\b/);
      });
    }

    it('does not count preflights against the rate limit', async () => {
      await using strict = await createTestServer({ env: { RATE_LIMIT_MAX: '1', ALLOWED_ORIGINS: LISTED } });
      for (const origin of [LISTED, FOREIGN, LISTED, FOREIGN]) {
        const response = await request(strict.api)
          .options('/messages/upload')
          .set('Origin', origin)
          .expect(204);
        assert.equal(response.headers['ratelimit'], undefined);
      }
      const first = await request(strict.api).post('/messages/upload');
      assertError(first, 'NOT_MULTIPART');
      const second = await request(strict.api).post('/messages/upload').set('Origin', LISTED);
      assertError(second, 'RATE_LIMITED');
      assert.equal(second.headers['access-control-allow-origin'], LISTED);
    });
  });

  describe('behind a proxy', () => {
    const host = 'shop.example.com';
    it('knows its own origin by the forwarded host of a proxy that is trusted', async () => {
      await using proxied = await createTestServer({ env: { TRUST_PROXY: '1' } });
      const call = request(proxied.api).post('/messages/upload').set('Origin', `https://${host}`);
      assertError(await call.set('X-Forwarded-Host', host), 'NOT_MULTIPART');
    });

    it('believes no forwarded host otherwise', async () => {
      const call = request(testServer.api).post('/messages/upload').set('Origin', `https://${host}`);
      assertError(await call.set('X-Forwarded-Host', host), 'ORIGIN_NOT_ALLOWED');
    });
  });
});
