import assert from 'node:assert/strict';
import { call, PROBE, wasLetIn } from '../../helpers/call.ts';
import { fixture } from '../../helpers/multipart.ts';
import { AUDIENCE, OpenIdProvider } from '../../helpers/open-id.ts';
import { filePart, sendUpload, textParts } from '../../helpers/send-upload.ts';
import { createTestServer, settled, type TestServer } from '../../helpers/test-server.ts';

const LOCATIONS = ['sandboxLocation01'];

function jwtTestServer(
  provider: OpenIdProvider,
  env: Readonly<Record<string, string>> = {},
): Promise<TestServer> {
  return createTestServer({
    env: { AUTH: 'jwt', AUTH_JWT_ISSUER: provider.issuer, AUTH_JWT_AUDIENCE: AUDIENCE, ...env },
  });
}

async function readyz(testServer: TestServer): Promise<{ status: number; reasons: string[] }> {
  const response = await fetch(`${testServer.url}/readyz`);
  const { reasons } = (await response.json()) as { reasons: string[] };
  return { status: response.status, reasons };
}

describe('AUTH=jwt with a real OpenID provider', () => {
  let provider: OpenIdProvider;
  beforeEach(async () => {
    provider = await OpenIdProvider.start(LOCATIONS);
  });
  afterEach(() => provider[Symbol.asyncDispose]());

  const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });
  const isIn = async (testServer: TestServer, token: string): Promise<boolean> =>
    wasLetIn(await call(testServer, { ...PROBE, headers: bearer(token) }));

  it('lets a token of the provider upload, its keys discovered', async () => {
    await using testServer = await jwtTestServer(provider);
    const form = [...textParts(testServer.fields), filePart('a.png', fixture('picture.png'))];
    const response = await sendUpload(testServer, form, { headers: bearer(await provider.requestToken()) });
    assert.equal(response.status, 200, response.text);
    assert(provider.asked.includes('/.well-known/openid-configuration'));
    await testServer.assertClean({ completeUploads: 1 });
  });

  it('reads the keys from AUTH_JWT_JWKS_URL without discovery', async () => {
    await using testServer = await jwtTestServer(provider, { AUTH_JWT_JWKS_URL: provider.jwksUrl });
    assert(await isIn(testServer, await provider.requestToken()));
    assert.deepEqual(new Set(provider.asked), new Set(['/jwks', '/token']));
  });

  it('takes a token of a new key at once and rejects the old key after that', async () => {
    await using testServer = await jwtTestServer(provider);
    const before = await provider.requestToken();
    assert(await isIn(testServer, before));
    await provider.rotate(LOCATIONS);
    assert(await isIn(testServer, await provider.requestToken()));
    assert(!(await isIn(testServer, before)));
  });

  it('asks the provider only so often for key ids that a client made up', async () => {
    await using testServer = await jwtTestServer(provider, { AUTH_JWT_JWKS_URL: provider.jwksUrl });
    for (let i = 0; i < 30; i += 1) {
      assert(!(await isIn(testServer, await provider.sign({ header: { kid: `made-up-${i}` } }))));
    }
    const asked = provider.asked.filter((path) => path === '/jwks').length;
    assert(asked < 15, `${asked} requests for the keys`);
    assert(await isIn(testServer, await provider.requestToken()));
  });

  it('reads the token from the cookie that is named, and no other', async () => {
    await using testServer = await jwtTestServer(provider, { AUTH_JWT_COOKIE: 'id' });
    const token = await provider.requestToken();
    const page = { 'Sec-Fetch-Site': 'same-origin' };
    const withCookie = (cookie: string) =>
      call(testServer, { ...PROBE, headers: { ...page, Cookie: cookie } });
    assert(wasLetIn(await withCookie(`other=1; id=${token}`)));
    assert(!wasLetIn(await withCookie(`ID=${token}`)));
    assert(!wasLetIn(await withCookie(`other=${token}`)));
  });

  it('reads no cookie unless one is named', async () => {
    await using testServer = await jwtTestServer(provider);
    const headers = { 'Sec-Fetch-Site': 'same-origin', Cookie: `session=${await provider.requestToken()}` };
    assert(!wasLetIn(await call(testServer, { ...PROBE, headers })));
  });

  it('responds with 503 BUSY and is not ready while the provider is down, and recovers by its probes', async () => {
    provider.fault = (_req, res) => res.writeHead(500).end();
    await using testServer = await jwtTestServer(provider);
    const token = await provider.sign({ claims: { locations: LOCATIONS } });
    const rejected = await call(testServer, { ...PROBE, headers: bearer(token) });
    assert.equal(rejected.status, 503);
    assert.equal(rejected.body.code, 'BUSY');
    assert.equal(rejected.body.retryable, true);
    assert(rejected.headers['retry-after'] !== undefined);
    assert(!rejected.text.includes(provider.issuer));
    const { status, reasons } = await readyz(testServer);
    assert.equal(status, 503);
    assert.deepEqual(reasons, ['the keys of the token issuer can’t be read']);

    provider.fault = null;
    const deadline = performance.now() + 10_000;
    while ((await readyz(testServer)).status !== 200) assert(performance.now() < deadline, 'not ready again');
    assert(await isIn(testServer, token));
    assert(testServer.log.entries.some(({ msg }) => msg === 'the keys of the token issuer are read again'));
  });

  it('goes on with the keys it has while the provider is down', async () => {
    await using testServer = await jwtTestServer(provider);
    const token = await provider.requestToken();
    assert(await isIn(testServer, token));
    provider.fault = (req) => req.socket.destroy();
    assert(await isIn(testServer, token));
    const strange = await provider.sign({ header: { kid: 'made-up' } });
    assert.equal((await call(testServer, { ...PROBE, headers: bearer(strange) })).body.code, 'BUSY');
    assert.equal((await readyz(testServer)).status, 200);
  });

  it('does not believe a discovery document of another issuer, or a malformed one', async () => {
    const faults: readonly OpenIdProvider['fault'][] = [
      (_req, res) => res.end(JSON.stringify({ issuer: 'https://evil.example', jwks_uri: provider.jwksUrl })),
      (_req, res) => res.end(JSON.stringify({ issuer: provider.issuer, jwks_uri: '/jwks' })),
      (_req, res) => res.end('<html>'),
      (_req, res) => res.end(`"${'x'.repeat(300_000)}"`),
    ];
    provider.spared = ['/jwks'];
    for (const fault of faults) {
      provider.fault = fault;
      await using testServer = await jwtTestServer(provider);
      const token = await provider.sign();
      assert.equal((await call(testServer, { ...PROBE, headers: bearer(token) })).body.code, 'BUSY');
    }
  });

  it('does not believe keys from a redirect, or a malformed key set', async () => {
    const good = await fetch(provider.jwksUrl);
    const keys = await good.text();
    const faults: readonly OpenIdProvider['fault'][] = [
      (_req, res) => res.writeHead(302, { Location: `${provider.issuer}/moved` }).end(),
      (_req, res) => res.end('{"keys":"none"}'),
      (_req, res) => res.end('[]'),
      (_req, res) => res.end(keys.slice(0, -2)),
      (_req, res) => res.end(`${keys.slice(0, -1)},"padding":"${'x'.repeat(300_000)}"}`),
      (_req, res) => res.writeHead(404).end(keys),
    ];
    for (const fault of faults) {
      provider.fault = (req, res) => (req.url === '/moved' ? res.end(keys) : fault?.(req, res));
      await using testServer = await jwtTestServer(provider, { AUTH_JWT_JWKS_URL: provider.jwksUrl });
      const token = await provider.sign();
      assert.equal((await call(testServer, { ...PROBE, headers: bearer(token) })).body.code, 'BUSY');
    }
    provider.fault = (_req, res) => res.end(keys);
    await using testServer = await jwtTestServer(provider, { AUTH_JWT_JWKS_URL: provider.jwksUrl });
    assert(await isIn(testServer, await provider.sign()));
  });

  it('reads the locations of a claim by its name, as a list or as words', async () => {
    await using testServer = await jwtTestServer(provider, {
      AUTH_JWT_LOCATIONS_CLAIM: 'https://x.example/places',
    });
    const upload = async (places: unknown): Promise<number> => {
      const token = await provider.sign({ claims: { 'https://x.example/places': places } });
      const form = [...textParts(testServer.fields), filePart('a.png', fixture('picture.png'))];
      return (await sendUpload(testServer, form, { headers: bearer(token) })).status;
    };
    for (const places of [LOCATIONS, 'other sandboxLocation01', 'other,sandboxLocation01']) {
      assert.equal(await upload(places), 200);
    }
    for (const places of [
      undefined,
      [],
      '',
      'sandbox',
      ['*'],
      [LOCATIONS],
      { sandboxLocation01: true },
      true,
    ]) {
      assert.equal(await upload(places), 403, JSON.stringify(places));
    }
    await testServer.assertClean({ completeUploads: 3 });
  });

  it('lets go of a request for keys when the server closes', async () => {
    provider.fault = () => {};
    const testServer = await jwtTestServer(provider);
    await settled(() => provider.asked.length > 0, 'the provider was asked');
    await testServer[Symbol.asyncDispose]();
    assert(!testServer.log.lines.some((line) => line.includes('can’t be read')));
  });
});
