import assert from 'node:assert/strict';
import { createHmac, createSign, KeyObject } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK } from 'jose';
import { call, PROBE, wasLetIn } from '../helpers/call.ts';
import { AUDIENCE, OpenIdProvider } from '../helpers/open-id.ts';
import { createTestServer, type TestServer } from '../helpers/test-server.ts';

const encode = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
const OCT_SECRET = 'a-secret-that-somebody-put-into-a-public-list';

describe('tokens whose parts were made to be read twice', () => {
  let provider: OpenIdProvider;
  let testServer: TestServer;
  before(async () => {
    provider = await OpenIdProvider.start([]);
    const env = { AUTH: 'jwt', AUTH_JWT_ISSUER: provider.issuer, AUTH_JWT_AUDIENCE: AUDIENCE };
    testServer = await createTestServer({ env: { ...env, AUTH_JWT_COOKIE: 'id' } });
  });
  after(async () => {
    await testServer[Symbol.asyncDispose]();
    await provider[Symbol.asyncDispose]();
  });

  const claims = (): object => {
    const now = Math.floor(Date.now() / 1000);
    return { iss: provider.issuer, aud: AUDIENCE, sub: 'user-1', iat: now, exp: now + 300 };
  };
  /** Signs with the right key whatever header and payload are given, as text or JSON. */
  const sign = (header: unknown, payload: unknown = claims()): string => {
    const signed = `${encode(header)}.${encode(payload)}`;
    const key = KeyObject.from(provider.key.privateKey);
    return `${signed}.${createSign('sha256').update(signed).sign(key, 'base64url')}`;
  };
  const enter = async (token: string): Promise<boolean> =>
    wasLetIn(await call(testServer, { ...PROBE, headers: { Authorization: `Bearer ${token}` } }));

  it('are rejected though the signature is right', async () => {
    const { kid } = provider.key;
    assert(await enter(sign({ alg: 'RS256', kid })));
    for (const header of [
      `{"alg":"RS256","kid":"${kid}","alg":"none"}`,
      `{"__proto__":{"alg":"RS256","kid":"${kid}"}}`,
      { alg: ['RS256'], kid },
      { alg: 'rs256', kid },
      { alg: 'PS256', kid },
      { alg: 'RS256', kid, b64: false, crit: ['b64'] },
      { alg: 'RS256', kid, typ: 1 },
    ]) {
      assert(!(await enter(sign(header))), JSON.stringify(header));
    }
    for (const payload of [[claims()], '"text"', 'null', '{"a":']) {
      assert(!(await enter(sign({ alg: 'RS256', kid }, payload))), JSON.stringify(payload));
    }
  });

  it('are rejected with signatures of zeros, and in another alphabet', async () => {
    const { kid } = provider.key;
    for (const alg of ['ES256', 'EdDSA', 'RS256']) {
      assert(!(await enter(`${encode({ alg, kid })}.${encode(claims())}.${encode('\0'.repeat(64))}`)), alg);
    }
    assert(!(await enter(`${sign({ alg: 'RS256', kid })}=`)));
  });

  for (const locations of [
    { own: true },
    [['own']],
    5,
    true,
    null,
    '*',
    ['*'],
    ['OWN'],
    ['ow'],
    [' own '],
    ['__proto__'],
  ]) {
    it(`open no location by a claim like ${JSON.stringify(locations)}`, async () => {
      const { locationId, conversationId } = testServer.sandbox;
      const text = JSON.stringify(locations)
        .replaceAll('OWN', locationId.toUpperCase())
        .replaceAll('own', locationId)
        .replaceAll('"ow"', JSON.stringify(locationId.slice(0, -1)));
      const token = sign(
        { alg: 'RS256', kid: provider.key.kid },
        { ...claims(), locations: JSON.parse(text) },
      );
      const { status, body } = await call(testServer, {
        method: 'POST',
        path: '/messages/upload/initiate',
        json: { conversationId, filename: 'a.txt', contentType: 'text/plain' },
        headers: { Authorization: `Bearer ${token}` },
      });
      assert.equal(`${status} ${body.code}`, '403 LOCATION_NOT_ALLOWED');
      assert.deepEqual(testServer.sandbox.requests, []);
    });
  }

  it('come in no cookie of a similar name, quoted or behind a comma', async () => {
    const token = sign({ alg: 'RS256', kid: provider.key.kid });
    const enterBy = async (Cookie: string): Promise<boolean> =>
      wasLetIn(await call(testServer, { ...PROBE, headers: { Cookie, 'Sec-Fetch-Site': 'same-origin' } }));
    assert(await enterBy(`a=b; id=${token}`));
    for (const cookie of [`ID=${token}`, `xid=${token}`, `id="${token}"`, `a=b,id=${token}`]) {
      assert(!(await enterBy(cookie)), cookie);
    }
  });

  it('are not checked with a shared key that is in the issuer’s list', async () => {
    const jwk = { ...(await exportJWK(provider.key.publicKey)), kid: provider.key.kid };
    const keys = [
      { kty: 'oct', kid: 'shared', k: encode(OCT_SECRET) },
      { kty: 'RSA', kid: 'broken', n: '!' },
      jwk,
    ];
    const list = createServer((_req, res) => res.end(JSON.stringify({ keys }))).listen(0, '127.0.0.1');
    await new Promise((resolve) => list.once('listening', resolve));
    const port = (list.address() as AddressInfo).port;
    const env = { AUTH: 'jwt', AUTH_JWT_ISSUER: provider.issuer, AUTH_JWT_AUDIENCE: AUDIENCE };
    await using poisoned = await createTestServer({
      env: { ...env, AUTH_JWT_JWKS_URL: `http://127.0.0.1:${port}/` },
    });
    const signed = `${encode({ alg: 'HS256', kid: 'shared' })}.${encode(claims())}`;
    const forged = `${signed}.${createHmac('sha256', OCT_SECRET).update(signed).digest('base64url')}`;
    for (const [token, isIn] of [
      [forged, false],
      [sign({ alg: 'RS256', kid: 'broken' }), false],
      [sign({ alg: 'RS256', kid: provider.key.kid }), true],
    ] as const) {
      const response = await call(poisoned, { ...PROBE, headers: { Authorization: `Bearer ${token}` } });
      assert.equal(wasLetIn(response), isIn);
    }
    list.closeAllConnections();
    list.close();
  });
});

describe('a ticket with another header', () => {
  it('makes nobody compute: rounds without end, a compressed content', async () => {
    await using testServer = await createTestServer();
    const { conversationId } = testServer.sandbox;
    const json = { conversationId, filename: 'a.txt', contentType: 'text/plain' };
    const { body } = await call(testServer, { method: 'POST', path: '/messages/upload/initiate', json });
    const { ticket } = body as unknown as { ticket: string };
    const [head = '', ...rest] = ticket.split('.');
    const own = JSON.parse(Buffer.from(head, 'base64url').toString()) as object;
    for (const header of [
      { alg: 'PBES2-HS512+A256KW', enc: 'A256GCM', p2c: 2 ** 31 - 1, p2s: encode('salt-of-16-bytes') },
      { ...own, zip: 'DEF' },
      { ...own, crit: ['x'], x: 1 },
      { ...own, enc: 'A128CBC-HS256' },
    ]) {
      const forged = [encode(header), ...rest].join('.');
      const response = await call(testServer, { ...PROBE, json: { ticket: forged } });
      assert.equal(`${response.status} ${response.body.code}`, '403 TICKET_INVALID');
    }
  });
});
