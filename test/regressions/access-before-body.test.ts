import assert from 'node:assert/strict';
import { createHouse, type House } from '../helpers/house.ts';
import { AUDIENCE, OpenIdProvider } from '../helpers/open-id.ts';
import { beginUpload, connectTo } from '../helpers/raw-caller.ts';
import { encryptContext, SSO_ENV, userContext } from '../helpers/sso-context.ts';

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

  async function refused(
    house: House,
    lines: readonly string[],
    status: number,
    code: string,
  ): Promise<void> {
    using caller = await beginUpload(house, 100 * MB, lines);
    const answer = await caller.answer();
    assert.equal(answer.status, status, answer.text);
    assert.equal(answer.body.code, code);
    assert(!caller.received.includes('100 Continue'), 'the body was asked for');
    assert.equal(house.sandbox.requests.length, 0);
  }

  for (const [kind, env] of Object.entries(kinds)) {
    it(`AUTH=${kind}: 401 to a stranger who has sent only the head of a request`, async () => {
      await using house = await createHouse({ env: env() });
      await refused(house, [], 401, 'UNAUTHENTICATED');
      await refused(house, ['Authorization: Bearer x'], 401, 'UNAUTHENTICATED');
      await house.assertTidy();
    });

    it(`AUTH=${kind}: 401 and no 100 to a stranger who expects it`, async () => {
      await using house = await createHouse({ env: env() });
      await refused(house, ['Expect: 100-continue'], 401, 'UNAUTHENTICATED');
      await house.assertTidy();
    });

    it(`AUTH=${kind}: 403 and no 100 to a page of a foreign origin`, async () => {
      await using house = await createHouse({ env: env() });
      for (const line of ['Origin: https://evil.example', 'Sec-Fetch-Site: cross-site']) {
        await refused(house, ['Expect: 100-continue', line], 403, 'ORIGIN_NOT_ALLOWED');
      }
      await house.assertTidy();
    });
  }

  it('a token that is being checked keeps the body waiting, and a provider that is away refuses it', async () => {
    const waiting = Promise.withResolvers<void>();
    const asked = Promise.withResolvers<void>();
    provider.fault = (_req, res) => {
      asked.resolve();
      void waiting.promise.then(() => res.writeHead(500).end());
    };
    await using house = await createHouse({ env: kinds.jwt() });
    const token = await provider.sign({ claims: { locations: ['sandboxLocation01'] } });
    const lines = ['Expect: 100-continue', `Authorization: Bearer ${token}`];
    using caller = await beginUpload(house, MB, lines);
    await asked.promise;
    assert.equal(caller.received, '');
    waiting.resolve();
    const answer = await caller.answer();
    provider.fault = null;
    assert.equal(answer.body.code, 'BUSY');
    assert(!caller.received.includes('100 Continue'));
    await house.assertTidy();
  });

  it('a caller who is known is asked for the body', async () => {
    await using house = await createHouse({ env: kinds.header() });
    using caller = await beginUpload(house, MB, ['Expect: 100-continue', 'X-Forwarded-User: maria']);
    await caller.until((received) => received.includes('100 Continue'));
    caller.leave();
    await house.assertTidy();
  });

  it('a stranger’s endless body is read within bounds', async () => {
    await using house = await createHouse({ env: SSO_ENV });
    using caller = await beginUpload(house, null);
    const answer = await caller.answer();
    assert.equal(answer.status, 401);
    const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`;
    let sent = 0;
    while (!caller.socket.destroyed && sent < 256 * MB) {
      await caller.send(chunk);
      sent += 0x10000;
    }
    await caller.closed;
    assert(sent >= 128 * MB && sent < 256 * MB, `${sent} bytes were taken`);
    assert.equal(house.server.context.lingering.count, 0);
    await house.assertTidy();
  });

  it('a stranger learns nothing of addresses, tickets or forms', async () => {
    await using house = await createHouse({ env: SSO_ENV });
    for (const target of [
      'POST /api/messages/upload',
      'POST /api/messages/upload/initiate',
      'PUT /api/messages/upload/content',
      'POST /api/messages/upload/complete',
      'GET /api/conversations/x',
      'GET /api/nowhere',
      'DELETE /api/messages/upload',
    ]) {
      using caller = await connectTo(house);
      await caller.send(`${target} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
      assert.equal((await caller.answer()).status, 401, target);
    }
    await house.assertTidy();
  });

  it('the exchange of a context does not begin to read before the origin is judged', async () => {
    await using house = await createHouse({ env: SSO_ENV });
    using caller = await connectTo(house);
    const payload = JSON.stringify({ payload: encryptContext(userContext(house.sandbox.locationId)) });
    const head = ['POST /api/session HTTP/1.1', 'Host: localhost', 'Content-Type: application/json'];
    const lines = [
      ...head,
      `Content-Length: ${payload.length}`,
      'Expect: 100-continue',
      'Origin: https://evil.example',
    ];
    await caller.send(`${lines.join('\r\n')}\r\n\r\n`);
    assert.equal((await caller.answer()).body.code, 'ORIGIN_NOT_ALLOWED');
    assert(!caller.received.includes('100 Continue'));
    await house.assertTidy();
  });
});
