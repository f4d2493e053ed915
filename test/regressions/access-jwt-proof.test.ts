import assert from 'node:assert/strict';
import { call, PROBE, wasLetIn } from '../helpers/call.ts';
import { openJwtTestServer } from '../helpers/jwt-test-server.ts';
import type { OpenIdProvider } from '../helpers/open-id.ts';
import { connectTo } from '../helpers/raw-client.ts';
import type { TestServer } from '../helpers/test-server.ts';

describe('the place of a token under AUTH=jwt', () => {
  let provider: OpenIdProvider;
  let testServer: TestServer;
  openJwtTestServer((opened) => {
    ({ provider, testServer } = opened);
  });

  it('rejects two Authorization headers, the good one first or last', async () => {
    const token = await provider.sign();
    for (const pair of [
      [`Bearer ${token}`, 'Bearer x'],
      ['Bearer x', `Bearer ${token}`],
      [`Bearer ${token}`, `Bearer ${token}`],
    ]) {
      using client = await connectTo(testServer);
      const lines = pair.map((value) => `Authorization: ${value}\r\n`).join('');
      const head = `POST /api/messages/upload/complete HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n`;
      await client.send(`${head}${lines}Content-Length: 14\r\n\r\n{"ticket":"a"}`);
      assert(!wasLetIn(await client.response()));
    }
  });

  it('rejects other schemes, and spaces and lists in the token', async () => {
    const token = await provider.sign();
    const values = [
      `Basic ${token}`,
      `DPoP ${token}`,
      token,
      `Bearer ${token}, Bearer x`,
      'Bearer',
      `Bearer "${token}"`,
    ];
    for (const value of values) {
      assert(
        !wasLetIn(await call(testServer, { ...PROBE, headers: { Authorization: value } })),
        value.slice(0, 12),
      );
    }
  });

  it('never reads a token from the address or the body', async () => {
    const token = await provider.sign();
    for (const name of ['access_token', 'token', 'id', 'Authorization', 'jwt']) {
      const json = { ticket: 'a', [name]: token };
      assert(!wasLetIn(await call(testServer, { ...PROBE, path: `${PROBE.path}?${name}=${token}`, json })));
    }
    assert(!testServer.log.lines.some((line) => line.includes(token)));
  });

  it('prefers a bad Authorization header to a good cookie', async () => {
    const headers = {
      Authorization: 'Bearer x',
      Cookie: `id=${await provider.sign()}`,
      Origin: testServer.url,
    };
    assert(!wasLetIn(await call(testServer, { ...PROBE, headers })));
  });

  it('rejects two cookies of the name, which a sister domain can bring about', async () => {
    const [own, other] = [await provider.sign(), await provider.sign({ claims: { sub: 'attacker' } })];
    for (const Cookie of [`id=${other}; id=${own}`, `id=${own}; id=${other}`]) {
      assert(
        !wasLetIn(await call(testServer, { ...PROBE, headers: { Cookie, 'Sec-Fetch-Site': 'same-origin' } })),
      );
    }
  });

  it('rejects a cookie on a request that does not say which page sent it', async () => {
    const headers = { Cookie: `id=${await provider.sign()}` };
    const response = await call(testServer, { ...PROBE, headers });
    assert.equal(response.status, 403);
    assert.equal(response.body.code, 'ORIGIN_NOT_ALLOWED');
  });
});
