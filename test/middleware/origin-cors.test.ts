import assert from 'node:assert/strict';
import type { IncomingHttpHeaders } from 'node:http';
import { type Call, call, PROBE } from '../helpers/call.ts';
import { SSO_ENV } from '../helpers/sso-context.ts';
import { createTestServer, type TestServer } from '../helpers/test-server.ts';

const LISTED = 'https://app.example.com';
const OTHERS = [
  'https://evil.example',
  'null',
  'https://app.example.com.evil.example',
  'http://app.example.com',
];

const corsOf = (headers: IncomingHttpHeaders) =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith('access-control-')));

describe('CORS', () => {
  let testServer: TestServer;
  before(async () => {
    testServer = await createTestServer({
      env: { ...SSO_ENV, ALLOWED_ORIGINS: LISTED, RATE_LIMIT_MAX: '3' },
    });
  });
  after(() => testServer[Symbol.asyncDispose]());
  afterEach(() => testServer.assertClean());

  const from = (origin: string | null, more: Call): ReturnType<typeof call> =>
    call(testServer, { ...more, headers: { ...more.headers, ...(origin !== null && { Origin: origin }) } });
  const asksFirst: Call = {
    method: 'OPTIONS',
    path: '/messages/upload',
    headers: {
      'Access-Control-Request-Method': 'POST',
      'Access-Control-Request-Headers': 'authorization,x-requested-with,cache-control',
    },
  };

  it('lets a page of a listed origin read responses, with credentials', async () => {
    const { headers, status } = await from(LISTED, { path: '/config' });
    assert.equal(status, 200);
    assert.deepEqual(corsOf(headers), {
      'access-control-allow-origin': LISTED,
      'access-control-allow-credentials': 'true',
      'access-control-expose-headers': 'X-Request-Id,Retry-After,RateLimit,RateLimit-Policy',
    });
    assert.match(headers.vary ?? '', /\bOrigin\b/i);
  });

  it('takes an OPTIONS request that comes from no page for a call like any other', async () => {
    assert.equal((await from(null, asksFirst)).status, 401);
    const { status, headers } = await from(null, { ...asksFirst, path: '/config' });
    assert.equal(`${status} ${headers.allow}`, '405 GET, HEAD');
  });

  it('responds to a preflight of a listed origin without authentication and without counting', async () => {
    for (let i = 0; i < 50; i += 1) {
      const { status, headers, text } = await from(LISTED, asksFirst);
      assert.equal(status, 204);
      assert.equal(text, '');
      assert.equal(headers['access-control-allow-origin'], LISTED);
      assert.equal(headers['access-control-allow-credentials'], 'true');
      assert.equal(headers['access-control-allow-methods'], 'GET,POST,PUT,PATCH,DELETE');
      assert.equal(headers['access-control-allow-headers'], 'authorization,x-requested-with,cache-control');
      assert.equal(headers['access-control-max-age'], '600');
      assert.equal(headers['ratelimit'], undefined);
      assert.match(headers.vary ?? '', /\bOrigin\b/i);
    }
  });

  it('gives other origins no CORS header at all, on responses and on preflights', async () => {
    for (const origin of [...OTHERS, null]) {
      const calls: readonly Call[] = [{ path: '/config' }, asksFirst, PROBE, { path: '/nowhere' }];
      for (const more of calls) {
        const { headers } = await from(origin, more);
        assert.deepEqual(corsOf(headers), {}, `${origin} ${more.path}`);
        // Or a cache would give a listed origin the response to this one.
        assert.match(headers.vary ?? '', /\bOrigin\b/i);
      }
    }
  });

  it('never responds with *', async () => {
    for (const origin of [LISTED, ...OTHERS, '*', null]) {
      assert.notEqual((await from(origin, { path: '/config' })).headers['access-control-allow-origin'], '*');
    }
  });

  it('lets the page read errors: 401, 404, 405, 415 and 429', async () => {
    await using open = await createTestServer({ env: { ALLOWED_ORIGINS: LISTED, RATE_LIMIT_MAX: '3' } });
    const upload: Call = { method: 'POST', path: '/messages/upload', headers: { Origin: LISTED } };
    const seen = new Map<number, IncomingHttpHeaders>();
    for (const more of [
      { path: '/nowhere' },
      { path: '/config', method: 'PUT' },
      upload,
      upload,
      upload,
      upload,
    ]) {
      const response = await call(open, { ...more, headers: { Origin: LISTED } });
      seen.set(response.status, response.headers);
    }
    const unknown = await from(LISTED, PROBE);
    seen.set(unknown.status, unknown.headers);
    assert.deepEqual([...seen.keys()].toSorted(), [401, 404, 405, 415, 429]);
    for (const [status, headers] of seen) {
      assert.equal(headers['access-control-allow-origin'], LISTED, `${status}`);
      assert.match(String(headers['access-control-expose-headers']), /Retry-After/);
    }
  });

  it('lets the page read 403 and 413', async () => {
    await using open = await createTestServer({ env: { ALLOWED_ORIGINS: LISTED } });
    const headers = { Origin: LISTED };
    const forbidden = await call(open, { ...PROBE, headers });
    assert.equal(forbidden.status, 403);
    const huge = { ticket: 'x'.repeat(1_100_000) };
    const large = await call(open, { ...PROBE, json: huge, headers });
    assert.equal(large.status, 413);
    for (const response of [forbidden, large]) {
      assert.equal(response.headers['access-control-allow-origin'], LISTED);
    }
    await open.assertClean();
  });

  it('lists no origin when none is set', async () => {
    await using closed = await createTestServer();
    for (const origin of [LISTED, closed.url, 'null']) {
      const response = await call(closed, { path: '/config', headers: { Origin: origin } });
      assert.deepEqual(corsOf(response.headers), {});
    }
  });
});
