import assert from 'node:assert/strict';
import { type Call, call, PROBE } from '../helpers/call.ts';
import { createTestServer, type TestServer } from '../helpers/test-server.ts';

/** Development takes few names in `Host`. */
const ANY_HOST = { NODE_ENV: 'production', AUTH: 'none' };
const LISTED = 'https://app.example.com';

describe('the origin of a request', () => {
  let testServer: TestServer;
  before(async () => {
    testServer = await createTestServer({
      env: { ...ANY_HOST, ALLOWED_ORIGINS: `${LISTED},http://localhost:5173` },
    });
  });
  after(() => testServer[Symbol.asyncDispose]());
  afterEach(() => testServer.assertClean());

  /** Whether a request with these headers got past the origin gate. */
  const passes = async (method: string, headers: Call['headers'] = {}): Promise<boolean> => {
    const withBody = method === 'POST' || method === 'PUT' || method === 'PATCH';
    const { status, body } = await call(testServer, {
      method,
      path: PROBE.path,
      headers: { Host: 'example.com', ...headers },
      ...(withBody && { json: PROBE.json }),
    });
    if (status === 403 && body.code === 'ORIGIN_NOT_ALLOWED') return false;
    assert([403, 405].includes(status), `${method}: ${status}`);
    return true;
  };

  describe('by Sec-Fetch-Site, as in the table of Go’s CrossOriginProtection', () => {
    const table: readonly (readonly [string, string, Call['headers'], boolean])[] = [
      ['same-origin allowed', 'POST', { 'Sec-Fetch-Site': 'same-origin' }, true],
      ['none allowed', 'POST', { 'Sec-Fetch-Site': 'none' }, true],
      ['cross-site blocked', 'POST', { 'Sec-Fetch-Site': 'cross-site' }, false],
      ['same-site blocked', 'POST', { 'Sec-Fetch-Site': 'same-site' }, false],
      ['no header with no origin', 'POST', {}, true],
      ['no header with matching origin', 'POST', { Origin: 'https://example.com' }, true],
      ['no header with mismatched origin', 'POST', { Origin: 'https://attacker.example' }, false],
      ['no header with null origin', 'POST', { Origin: 'null' }, false],
      ['GET allowed', 'GET', { 'Sec-Fetch-Site': 'cross-site' }, true],
      ['HEAD allowed', 'HEAD', { 'Sec-Fetch-Site': 'cross-site' }, true],
      ['PUT blocked', 'PUT', { 'Sec-Fetch-Site': 'cross-site' }, false],
      ['DELETE blocked', 'DELETE', { 'Sec-Fetch-Site': 'cross-site' }, false],
      ['PATCH blocked', 'PATCH', { 'Sec-Fetch-Site': 'cross-site' }, false],
      ['an unusual method blocked', 'PURGE', { 'Sec-Fetch-Site': 'cross-site' }, false],
      ['an unknown value blocked', 'POST', { 'Sec-Fetch-Site': 'sideways' }, false],
      ['two values blocked', 'POST', { 'Sec-Fetch-Site': ['same-origin', 'cross-site'] }, false],
      ['a value in capitals blocked', 'POST', { 'Sec-Fetch-Site': 'Same-Origin' }, false],
      [
        'same-origin with an origin',
        'POST',
        { 'Sec-Fetch-Site': 'same-origin', Origin: 'https://x.example' },
        true,
      ],
      ['cross-site from a listed origin', 'POST', { 'Sec-Fetch-Site': 'cross-site', Origin: LISTED }, true],
      ['same-site from a listed origin', 'POST', { 'Sec-Fetch-Site': 'same-site', Origin: LISTED }, true],
      [
        'cross-site, origin of the host',
        'POST',
        { 'Sec-Fetch-Site': 'cross-site', Origin: 'https://example.com' },
        false,
      ],
    ];
    for (const [name, method, headers, allowed] of table) {
      it(name, async () => assert.equal(await passes(method, headers), allowed));
    }
  });

  describe('by Origin against the host, for browsers without Sec-Fetch-Site', () => {
    const table: readonly (readonly [string, string, boolean])[] = [
      ['example.com', 'https://example.com', true],
      ['example.com', 'http://example.com', true],
      ['EXAMPLE.com', 'https://example.com', true],
      ['example.com:443', 'https://example.com', true],
      ['example.com:8443', 'https://example.com:8443', true],
      ['[::1]:3000', 'http://[::1]:3000', true],
      ['example.com', 'https://example.com:8443', false],
      ['example.com:8443', 'https://example.com', false],
      ['example.com:443', 'http://example.com', false],
      ['example.com', 'https://sub.example.com', false],
      ['example.com', 'https://example.com.evil.example', false],
      ['example.com', 'https://evilexample.com', false],
      ['example.com', 'https://evil.example/example.com', false],
      ['example.com', 'https://evil.example@example.com', false],
      ['example.com', 'https://example.com/', false],
      ['example.com', 'https://example.com evil', false],
      ['example.com', 'example.com', false],
      ['example.com', '//example.com', false],
      ['example.com', 'null', false],
      ['example.com', '', false],
      ['example.com', 'file://', false],
      ['example.com', 'chrome-extension://example.com', false],
    ];
    for (const [host, origin, allowed] of table) {
      it(`${origin || 'an empty origin'} at ${host} is ${allowed ? 'let pass' : 'rejected'}`, async () => {
        assert.equal(await passes('POST', { Host: host, Origin: origin }), allowed);
      });
    }

    it('two origins are rejected, the good one first or last', async () => {
      assert(!(await passes('POST', { Origin: ['https://example.com', 'https://evil.example'] })));
      assert(!(await passes('POST', { Origin: ['https://evil.example', LISTED] })));
    });

    it('X-Forwarded-Host says nothing without a trusted proxy, and the host with one', async () => {
      const headers = {
        Host: 'inside:3000',
        'X-Forwarded-Host': 'example.com',
        Origin: 'https://example.com',
      };
      assert(!(await passes('POST', headers)));
      await using behind = await createTestServer({ env: { ...ANY_HOST, TRUST_PROXY: 'loopback' } });
      const { body } = await call(behind, { ...PROBE, headers });
      assert.equal(body.code, 'TICKET_INVALID');
    });
  });

  describe('by the list', () => {
    const table: readonly (readonly [string, boolean])[] = [
      [LISTED, true],
      ['http://localhost:5173', true],
      ['http://app.example.com', false],
      ['https://app.example.com:8443', false],
      ['https://APP.example.com', false],
      ['https://app.example.com.evil.example', false],
      ['https://evil-app.example.com', false],
      ['https://x.app.example.com', false],
      ['http://localhost:5174', false],
    ];
    for (const [origin, allowed] of table) {
      it(`${origin} is ${allowed ? 'let pass' : 'rejected'}`, async () => {
        assert.equal(await passes('POST', { Origin: origin }), allowed);
      });
    }
  });

  it('rejects a foreign form before it reads the body', async () => {
    const headers = { Origin: 'https://evil.example', 'Content-Type': 'multipart/form-data; boundary=x' };
    const response = await call(testServer, { method: 'POST', path: '/messages/upload', headers });
    assert.equal(response.body.code, 'ORIGIN_NOT_ALLOWED');
    assert.equal(testServer.sandbox.requests.length, 0);
  });
});
