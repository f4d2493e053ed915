import assert from 'node:assert/strict';
import { call, PROBE, wasLetIn } from '../helpers/call.ts';
import { connectTo } from '../helpers/raw-client.ts';
import { createTestServer, type TestServer } from '../helpers/test-server.ts';

/** Sends header lines as they are, byte by byte. */
async function enterRaw(testServer: TestServer, lines: readonly (string | Buffer)[]): Promise<boolean> {
  using client = await connectTo(testServer);
  const head =
    'POST /api/messages/upload/complete HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n';
  await client.send(
    Buffer.concat([
      Buffer.from(head),
      ...lines.map((line) => Buffer.concat([Buffer.from(line), Buffer.from('\r\n')])),
      Buffer.from('Content-Length: 14\r\n\r\n{"ticket":"a"}'),
    ]),
  );
  return wasLetIn(await client.response());
}

describe('attacks on AUTH=header', () => {
  let testServer: TestServer;
  before(async () => {
    testServer = await createTestServer({ env: { AUTH: 'header', TRUST_PROXY: 'loopback' } });
  });
  after(() => testServer[Symbol.asyncDispose]());
  afterEach(() => testServer.assertClean());

  it('lets in whom the proxy names', async () => {
    assert(await enterRaw(testServer, ['X-Forwarded-User: maria']));
    assert(await enterRaw(testServer, ['x-forwarded-user: maria@example.com']));
    assert(await enterRaw(testServer, [Buffer.from('X-Forwarded-User: María Núñez', 'utf8')]));
  });

  it('believes no name from an address that is not the proxy’s', async () => {
    await using outside = await createTestServer({ env: { AUTH: 'header', TRUST_PROXY: '203.0.113.7' } });
    const lines = ['X-Forwarded-User: admin'];
    assert(!(await enterRaw(outside, lines)));
    assert(!(await enterRaw(outside, [...lines, 'X-Forwarded-For: 203.0.113.7'])));
    assert(!(await enterRaw(outside, [...lines, 'Forwarded: for=203.0.113.7', 'X-Real-IP: 203.0.113.7'])));
  });

  it('believes the proxy itself when its IPv4 address comes mapped into IPv6', async () => {
    await using dual = await createTestServer({
      env: { AUTH: 'header', TRUST_PROXY: '127.0.0.1', HOST: '::' },
    });
    const { port } = new URL(dual.url);
    const mapped = { ...dual, url: `http://127.0.0.1:${port}` };
    assert(await enterRaw(mapped, ['X-Forwarded-User: maria']));
  });

  it('rejects a name that came twice: the client’s own beside the proxy’s', async () => {
    assert(!(await enterRaw(testServer, ['X-Forwarded-User: admin', 'X-Forwarded-User: maria'])));
    assert(!(await enterRaw(testServer, ['X-Forwarded-User: maria', 'x-forwarded-user: maria'])));
  });

  it('does not take look-alike headers for the one it is told', async () => {
    for (const name of [
      'X_Forwarded_User',
      'X-Forwarded_User',
      'X-Forwarded-User-',
      'X-Auth-Request-User',
      'Remote-User',
    ]) {
      assert(!(await enterRaw(testServer, [`${name}: admin`])), name);
    }
    assert(await enterRaw(testServer, ['X_Forwarded_User: admin', 'X-Forwarded-User: maria']));
  });

  it('lets nobody in when the client had the proxy drop the name by Connection', async () => {
    assert(!(await enterRaw(testServer, ['Connection: x-forwarded-user'])));
  });

  it('rejects an empty name, one of spaces, and one with control or invisible characters', async () => {
    const names = [
      '',
      ' ',
      '\t',
      'ma\tria',
      'maria\u00a0\u0085',
      'ma\u202eria',
      'maria\u200b',
      'x'.repeat(257),
    ];
    for (const name of names)
      assert(!(await enterRaw(testServer, [`X-Forwarded-User: ${name}`])), JSON.stringify(name));
    assert(
      !(await enterRaw(testServer, [Buffer.from('X-Forwarded-User: Mar\u00eda', 'latin1')])),
      'no UTF-8',
    );
    assert(!(await enterRaw(testServer, [Buffer.from([...Buffer.from('X-Forwarded-User: a'), 0xc0, 0x80])])));
  });

  it('cannot be talked into another header, the body or the address', async () => {
    const path = `${PROBE.path}?X-Forwarded-User=admin`;
    const json = { ticket: 'a', 'X-Forwarded-User': 'admin', user: 'admin' };
    const response = await call(testServer, {
      ...PROBE,
      path,
      json,
      headers: { Authorization: 'Bearer admin' },
    });
    assert.equal(response.status, 401);
    assert.match(response.headers['www-authenticate'] ?? '', /^Bearer /);
  });

  it('rejects a browser’s request that does not say which page sent it, since the proxy’s cookie came along', async () => {
    const headers = { 'X-Forwarded-User': 'maria', Cookie: '_oauth2_proxy=1' };
    const blind = await call(testServer, { ...PROBE, headers });
    assert.equal(blind.body.code, 'ORIGIN_NOT_ALLOWED');
    const own = await call(testServer, {
      ...PROBE,
      headers: { ...headers, 'Sec-Fetch-Site': 'same-origin' },
    });
    assert(wasLetIn(own));
  });

  it('knows the headers of oauth2-proxy and Authelia by their names', async () => {
    for (const [preset, name] of [
      ['oauth2-proxy', 'X-Auth-Request-User'],
      ['authelia', 'Remote-User'],
    ]) {
      const env = { AUTH: 'header', TRUST_PROXY: 'loopback', AUTH_USER_HEADER: preset ?? '' };
      await using other = await createTestServer({ env });
      assert(await enterRaw(other, [`${name}: maria`]));
      assert(!(await enterRaw(other, ['X-Forwarded-User: maria'])));
    }
  });

  it('sends nothing of these headers to Leadway', async () => {
    await using own = await createTestServer({ env: { AUTH: 'header', TRUST_PROXY: 'loopback' } });
    const json = { ...own.fields, filename: 'a.png', contentType: 'image/png' };
    const headers = { 'X-Forwarded-User': 'maria' };
    const response = await call(own, { method: 'POST', path: '/messages/upload/initiate', json, headers });
    assert.equal(response.status, 200, response.text);
    assert(own.sandbox.requests.length > 0);
    for (const { headers: sent } of own.sandbox.requests) assert(!('x-forwarded-user' in sent));
  });
});
