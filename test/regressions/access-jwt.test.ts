import assert from 'node:assert/strict';
import { createHmac, createSign, KeyObject } from 'node:crypto';
import { exportJWK, exportSPKI, generateKeyPair } from 'jose';
import { call, PROBE, wasLetIn } from '../helpers/call.ts';
import { openJwtTestServer } from '../helpers/jwt-test-server.ts';
import { AUDIENCE, type Forgery, OpenIdProvider } from '../helpers/open-id.ts';
import type { TestServer } from '../helpers/test-server.ts';

const base64url = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const nowS = (): number => Math.floor(Date.now() / 1000);

describe('attacks on AUTH=jwt', () => {
  let provider: OpenIdProvider;
  let testServer: TestServer;
  openJwtTestServer((opened) => {
    ({ provider, testServer } = opened);
  });

  const enter = async (token: string): Promise<boolean> => {
    const response = await call(testServer, { ...PROBE, headers: { Authorization: `Bearer ${token}` } });
    if (response.status === 401) assert.match(response.headers['www-authenticate'] ?? '', /^Bearer /);
    return wasLetIn(response);
  };
  const enterForged = async (forgery: Forgery): Promise<boolean> => enter(await provider.sign(forgery));

  /** Signs what no library would. */
  const signByHand = async (header: object): Promise<string> => {
    const [, payload = ''] = (await provider.sign()).split('.');
    const signed = `${base64url(header)}.${payload}`;
    const key = KeyObject.from(provider.key.privateKey);
    return `${signed}.${createSign('sha256').update(signed).sign(key, 'base64url')}`;
  };

  it('lets the same token in when nothing is wrong with it', async () => {
    assert(await enterForged({}));
    assert(await enterForged({ header: { typ: 'at+jwt' } }));
    assert(await enterForged({ claims: { aud: ['https://other.example', AUDIENCE] } }));
  });

  it('rejects alg none in every spelling, with and without a signature', async () => {
    const [, payload = '', signature = ''] = (await provider.sign()).split('.');
    for (const alg of ['none', 'None', 'NONE', 'nOnE', '']) {
      for (const end of ['', signature]) {
        assert(!(await enter(`${base64url({ alg, typ: 'JWT' })}.${payload}.${end}`)), alg);
      }
    }
  });

  it('rejects HS256 with the public key as the shared secret (algorithm confusion)', async () => {
    const [, payload = ''] = (await provider.sign()).split('.');
    const jwk = await exportJWK(provider.key.publicKey);
    for (const secret of [await exportSPKI(provider.key.publicKey), JSON.stringify(jwk), jwk.n ?? '', '']) {
      for (const alg of ['HS256', 'HS384', 'HS512']) {
        const signed = `${base64url({ alg, kid: provider.key.kid })}.${payload}`;
        const mac = createHmac(alg.replace('HS', 'sha'), secret).update(signed).digest('base64url');
        assert(!(await enter(`${signed}.${mac}`)), alg);
      }
    }
  });

  it('rejects a signature by another key under the id of the real one', async () => {
    const { privateKey } = await generateKeyPair('RS256');
    assert(!(await enterForged({ key: privateKey })));
  });

  it('rejects a key that the token itself brings or points to (jwk, jku, x5u, x5c)', async () => {
    const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true });
    const jwk = await exportJWK(publicKey);
    const evil = await OpenIdProvider.start([]);
    await using _ = evil;
    const headers = [{ jwk }, { jku: evil.jwksUrl }, { x5u: evil.jwksUrl }, { x5c: ['AAAA'] }];
    for (const header of headers) assert(!(await enterForged({ key: privateKey, header })));
    assert.deepEqual(evil.asked, [], 'the address in a token was fetched');
  });

  it('rejects key ids that are paths, queries, lists or names of object properties', async () => {
    const kids = ['../../dev/null', '/dev/null', "' OR 1=1 --", '__proto__', 'constructor', '', '\u0000'];
    for (const kid of kids) assert(!(await enterForged({ header: { kid } })), kid);
    for (const kid of [[provider.key.kid], { a: 1 }, 7, null]) {
      assert(!(await enter(await signByHand({ alg: 'RS256', kid }))));
    }
  });

  it('rejects critical extensions that it does not know', async () => {
    const header = { alg: 'RS256', kid: provider.key.kid };
    assert(await enter(await signByHand(header)));
    assert(!(await enter(await signByHand({ ...header, crit: ['exp'], exp: 0 }))));
    assert(!(await enter(await signByHand({ ...header, crit: [] }))));
  });

  it('rejects another issuer, look-alikes of the real one included', async () => {
    const { issuer } = provider;
    for (const iss of [
      undefined,
      '',
      `${issuer}/`,
      issuer.toUpperCase(),
      `${issuer}.evil.example`,
      [issuer],
    ]) {
      assert(!(await enterForged({ claims: { iss } })), String(iss));
    }
  });

  it('rejects another audience', async () => {
    for (const aud of [
      undefined,
      '',
      'browser-app',
      `${AUDIENCE}/`,
      [],
      ['https://other.example'],
      [[AUDIENCE]],
    ]) {
      assert(!(await enterForged({ claims: { aud } })), String(aud));
    }
  });

  it('rejects a token that has expired, is not yet valid, or without an end', async () => {
    const wrong = [
      { exp: nowS() - 60 },
      { exp: undefined },
      { exp: 'never' },
      { exp: null },
      { nbf: nowS() + 60 },
      { nbf: 'soon' },
    ];
    for (const claims of wrong) assert(!(await enterForged({ claims })), JSON.stringify(claims));
  });

  it('bears with clocks that differ by some seconds', async () => {
    assert(await enterForged({ claims: { exp: nowS() - 5, nbf: nowS() + 5 } }));
  });

  it('rejects a token without a subject, or whose subject is not a string', async () => {
    for (const sub of [undefined, '', null, 7, ['user-1'], { a: 1 }, 'x'.repeat(513)]) {
      assert(!(await enterForged({ claims: { sub } })), String(sub));
    }
  });

  it('rejects other tokens that the issuer signs, such as logout tokens', async () => {
    for (const typ of ['logout+jwt', 'secevent+jwt', 'token-introspection+jwt', 'dpop+jwt']) {
      assert(!(await enterForged({ header: { typ } })), typ);
    }
  });

  it('rejects a token in which a character was changed, cut or added', async () => {
    const token = await provider.sign();
    const [header = '', payload = '', signature = ''] = token.split('.');
    const changed = [
      `${header}.${base64url({ ...JSON.parse(Buffer.from(payload, 'base64url').toString()), sub: 'admin' })}.${signature}`,
      `${header}.${payload}`,
      `${header}.${payload}.`,
      `${header}..${signature}`,
      `${token}.${signature}`,
      token.slice(0, -8),
      `${header}.${payload}.${[...signature].reverse().join('')}`,
      '..',
      'a.b.c',
    ];
    for (const forged of changed) assert(!(await enter(forged)));
  });

  it('rejects a huge token and does not fail itself', async () => {
    assert(!(await enterForged({ claims: { sub: 'x'.repeat(8_000) } })));
    const deep = Buffer.from(`{"alg":${'['.repeat(5_000)}`).toString('base64url');
    assert(!(await enter(`${deep}.e30.AA`)));
    const response = await call(testServer, {
      ...PROBE,
      headers: { Authorization: `Bearer ${'x'.repeat(17_000)}` },
    });
    assert.equal(response.status, 431);
  });

  it('tells a forger nothing about what was wrong, and the operator what it was', async () => {
    const responses = await Promise.all(
      [{ claims: { aud: 'x' } }, { claims: { exp: 1 } }, { header: { kid: 'x' } }].map(async (forgery) =>
        call(testServer, { ...PROBE, headers: { Authorization: `Bearer ${await provider.sign(forgery)}` } }),
      ),
    );
    const told = responses.map(({ body: { requestId: _, ...rest } }) => JSON.stringify(rest));
    assert.equal(new Set(told).size, 1);
    const reasons = testServer.log.entries.flatMap(({ msg, reason }) =>
      msg === 'a token was rejected' ? [reason] : [],
    );
    assert(reasons.includes('ERR_JWT_CLAIM_VALIDATION_FAILED: aud'));
    assert(reasons.includes('ERR_JWKS_NO_MATCHING_KEY'));
  });
});
