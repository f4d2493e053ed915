import assert from 'node:assert/strict';
import { AUDIENCE, OpenIdProvider } from '../helpers/open-id.ts';
import { beginUpload, connectTo } from '../helpers/raw-client.ts';
import { encryptContext, SSO_ENV, userContext } from '../helpers/sso-context.ts';
import { createTestServer, type TestServer } from '../helpers/test-server.ts';

const MB = 1024 * 1024;

describe('who calls is decided before any of the body is read', () => {
  let provider: OpenIdProvider;
  before(async () => {
    provider = await OpenIdProvider.start(['sandboxLocation01']);
  });
  after(() => provider[Symbol.asyncDispose]());

  const kinds = {
    jwt: () => ({ AUTH: 'jwt', AUTH_JWT_ISSUER: provider.issuer, AUTH_JWT_AUDIENCE: AUDIENCE }),
    header: () => ({ AUTH: 'header', TRUST_PROXY: 'loopback' }),
    sso: () => SSO_ENV,
  };

  async function rejected(
    testServer: TestServer,
    lines: readonly string[],
    status: number,
    code: string,
  ): Promise<void> {
    using client = await beginUpload(testServer, 100 * MB, lines);
    const response = await client.response();
    assert.equal(response.status, status, response.text);
    assert.equal(response.body.code, code);
    assert(!client.received.includes('100 Continue'), 'the body was asked for');
    assert.equal(testServer.sandbox.requests.length, 0);
  }

  for (const [kind, env] of Object.entries(kinds)) {
    it(`AUTH=${kind}: 401 to a stranger who has sent only the head of a request`, async () => {
      await using testServer = await createTestServer({ env: env() });
      await rejected(testServer, [], 401, 'UNAUTHENTICATED');
      await rejected(testServer, ['Authorization: Bearer x'], 401, 'UNAUTHENTICATED');
      await testServer.assertClean();
    });

    it(`AUTH=${kind}: 401 and no 100 to a stranger who expects it`, async () => {
      await using testServer = await createTestServer({ env: env() });
      await rejected(testServer, ['Expect: 100-continue'], 401, 'UNAUTHENTICATED');
      await testServer.assertClean();
    });

    it(`AUTH=${kind}: 403 and no 100 to a page of a foreign origin`, async () => {
      await using testServer = await createTestServer({ env: env() });
      for (const line of ['Origin: https://evil.example', 'Sec-Fetch-Site: cross-site']) {
        await rejected(testServer, ['Expect: 100-continue', line], 403, 'ORIGIN_NOT_ALLOWED');
      }
      await testServer.assertClean();
    });
  }

  it('a token that is being checked keeps the body waiting, and a provider that is down rejects it', async () => {
    const waiting = Promise.withResolvers<void>();
    const asked = Promise.withResolvers<void>();
    provider.fault = (_req, res) => {
      asked.resolve();
      void waiting.promise.then(() => res.writeHead(500).end());
    };
    await using testServer = await createTestServer({ env: kinds.jwt() });
    const token = await provider.sign({ claims: { locations: ['sandboxLocation01'] } });
    const lines = ['Expect: 100-continue', `Authorization: Bearer ${token}`];
    using client = await beginUpload(testServer, MB, lines);
    await asked.promise;
    assert.equal(client.received, '');
    waiting.resolve();
    const response = await client.response();
    provider.fault = null;
    assert.equal(response.body.code, 'BUSY');
    assert(!client.received.includes('100 Continue'));
    await testServer.assertClean();
  });

  it('a client that is known is asked for the body', async () => {
    await using testServer = await createTestServer({ env: kinds.header() });
    using client = await beginUpload(testServer, MB, ['Expect: 100-continue', 'X-Forwarded-User: maria']);
    await client.until((received) => received.includes('100 Continue'));
    client.leave();
    await testServer.assertClean();
  });

  it('a stranger’s endless body is read within bounds', async () => {
    await using testServer = await createTestServer({ env: SSO_ENV });
    using client = await beginUpload(testServer, null);
    const response = await client.response();
    assert.equal(response.status, 401);
    const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`;
    let sent = 0;
    while (!client.socket.destroyed && sent < 256 * MB) {
      await client.send(chunk);
      sent += 0x10000;
    }
    await client.closed;
    assert(sent >= 128 * MB && sent < 256 * MB, `${sent} bytes were taken`);
    assert.equal(testServer.server.context.lingering.count, 0);
    await testServer.assertClean();
  });

  it('a stranger learns nothing of addresses, tickets or forms', async () => {
    await using testServer = await createTestServer({ env: SSO_ENV });
    for (const target of [
      'POST /api/messages/upload',
      'POST /api/messages/upload/initiate',
      'PUT /api/messages/upload/content',
      'POST /api/messages/upload/complete',
      'GET /api/conversations/x',
      'GET /api/nowhere',
      'DELETE /api/messages/upload',
    ]) {
      using client = await connectTo(testServer);
      await client.send(`${target} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
      assert.equal((await client.response()).status, 401, target);
    }
    await testServer.assertClean();
  });

  it('the exchange of a context does not begin to read before the origin is judged', async () => {
    await using testServer = await createTestServer({ env: SSO_ENV });
    using client = await connectTo(testServer);
    const payload = JSON.stringify({ payload: encryptContext(userContext(testServer.sandbox.locationId)) });
    const head = ['POST /api/session HTTP/1.1', 'Host: localhost', 'Content-Type: application/json'];
    const lines = [
      ...head,
      `Content-Length: ${payload.length}`,
      'Expect: 100-continue',
      'Origin: https://evil.example',
    ];
    await client.send(`${lines.join('\r\n')}\r\n\r\n`);
    assert.equal((await client.response()).body.code, 'ORIGIN_NOT_ALLOWED');
    assert(!client.received.includes('100 Continue'));
    await testServer.assertClean();
  });
});
