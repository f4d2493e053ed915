import assert from 'node:assert/strict';
import { call, PROBE, wasLetIn } from '../helpers/call.ts';
import type { ApiResponse } from '../helpers/send-upload.ts';
import { encryptContext, SESSION_SECRET, SSO_ENV, userContext } from '../helpers/sso-context.ts';
import { createTestServer, type TestServer } from '../helpers/test-server.ts';

const NAME = '__Host-leadway-session';

describe('attacks on AUTH=sso', () => {
  let testServer: TestServer;
  beforeEach(async () => {
    // One secret for both, as a careless operator would have it.
    testServer = await createTestServer({ env: { ...SSO_ENV, TICKET_SECRETS: SESSION_SECRET } });
  });
  afterEach(async () => {
    await testServer.assertClean();
    await testServer[Symbol.asyncDispose]();
  });

  const post = (payload: unknown): Promise<ApiResponse> =>
    call(testServer, { method: 'POST', path: '/session', json: { payload } });
  const begin = async (): Promise<string> => {
    const response = await post(encryptContext(userContext(testServer.sandbox.locationId)));
    return (JSON.parse(response.text) as { token: string }).token;
  };
  const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });
  const initiate = (token: string): Promise<ApiResponse> => {
    const json = { ...testServer.fields, filename: 'a.png', contentType: 'image/png' };
    return call(testServer, {
      method: 'POST',
      path: '/messages/upload/initiate',
      json,
      headers: bearer(token),
    });
  };

  it('rejects a context of another app’s secret, and garbage', async () => {
    const context = userContext(testServer.sandbox.locationId);
    const payloads = [
      ...Array.from({ length: 300 }, (_, i) => encryptContext(context, `wrong-${i}`)),
      'garbage',
      'U2FsdGVkX18=',
      Buffer.from('Salted__12345678').toString('base64'),
      JSON.stringify(context),
      Buffer.from(JSON.stringify(context)).toString('base64'),
    ];
    for (const payload of payloads) {
      const response = await post(payload);
      assert.equal(response.status, 401, payload.slice(0, 30));
      assert.equal(response.body.code, 'UNAUTHENTICATED');
      assert.match(response.headers['www-authenticate'] ?? '', /^Bearer /);
      assert.equal(response.headers['set-cookie'], undefined);
    }
  });

  it('rejects a context whose blocks were swapped, repeated, flipped or cut', async () => {
    const bytes = Buffer.from(encryptContext(userContext(testServer.sandbox.locationId)), 'base64');
    const [head, body] = [bytes.subarray(0, 16), bytes.subarray(16)];
    const block = (i: number): Buffer => body.subarray(i * 16, i * 16 + 16);
    const flipped = Buffer.from(bytes);
    flipped[40] = (flipped[40] ?? 0) ^ 1;
    const forged = [
      Buffer.concat([head, block(1), block(0), body.subarray(32)]),
      Buffer.concat([head, block(0), block(0), body.subarray(16)]),
      Buffer.concat([head, body, body]),
      bytes.subarray(0, -16),
      bytes.subarray(0, -1),
      head,
      flipped,
    ];
    for (const payload of forged) assert.equal((await post(payload.toString('base64'))).status, 401);
  });

  it('rejects a context outside of a location, and one in a location that is not served', async () => {
    assert.equal((await post(encryptContext(userContext(undefined)))).status, 401);
    const other = await post(encryptContext(userContext('locationElsewhere')));
    assert.equal(other.status, 403);
    assert.equal(other.body.code, 'LOCATION_NOT_ALLOWED');
    assert.equal(other.headers['set-cookie'], undefined);
  });

  it('bounds how often contexts can be guessed at from one address, and not how often users sign in', async () => {
    await using guessed = await createTestServer({ env: { ...SSO_ENV, RATE_LIMIT_MAX: '3' } });
    const send = (payload: string): Promise<ApiResponse> =>
      call(guessed, { method: 'POST', path: '/session', json: { payload } });
    for (let i = 0; i < 5; i += 1) {
      assert.equal((await send(encryptContext(userContext(guessed.sandbox.locationId)))).status, 200);
    }
    for (let i = 0; i < 3; i += 1) assert.equal((await send(`guess${i}`)).status, 401);
    const limited = await send('guess');
    assert.equal(limited.status, 429);
    assert.equal(limited.body.code, 'RATE_LIMITED');
    assert(limited.headers['retry-after'] !== undefined);
  });

  it('rejects a session in which a character was changed', async () => {
    const token = await begin();
    assert(wasLetIn(await call(testServer, { ...PROBE, headers: bearer(token) })));
    for (const index of [0, 10, token.indexOf('..') + 3, token.length - 30, token.length - 1]) {
      const other = token[index] === 'A' ? 'B' : 'A';
      const changed = token.slice(0, index) + other + token.slice(index + 1);
      assert(!wasLetIn(await call(testServer, { ...PROBE, headers: bearer(changed) })), `${index}`);
    }
  });

  it('takes no ticket for a session, not even with one secret for both', async () => {
    const { ticket } = JSON.parse((await initiate(await begin())).text) as { ticket: string };
    assert(ticket !== undefined);
    assert(!wasLetIn(await call(testServer, { ...PROBE, headers: bearer(ticket) })));
    const cookie = { Cookie: `${NAME}=${ticket}`, 'Sec-Fetch-Site': 'same-origin' };
    assert(!wasLetIn(await call(testServer, { ...PROBE, headers: cookie })));
  });

  it('takes no session for a ticket, not even with one secret for both', async () => {
    const token = await begin();
    const response = await call(testServer, { ...PROBE, json: { ticket: token }, headers: bearer(token) });
    assert.equal(response.body.code, 'TICKET_INVALID');
  });

  it('rejects two session cookies, and a good cookie beside a bad Authorization header', async () => {
    const [own, other] = [await begin(), await begin()];
    const page = { 'Sec-Fetch-Site': 'same-origin' };
    const twice = { ...page, Cookie: `${NAME}=${own}; ${NAME}=${other}` };
    assert(!wasLetIn(await call(testServer, { ...PROBE, headers: twice })));
    const mixed = { ...page, Cookie: `${NAME}=${own}`, Authorization: 'Bearer x' };
    assert(!wasLetIn(await call(testServer, { ...PROBE, headers: mixed })));
  });

  it('rejects sign-in and its end from a page of a foreign origin (login CSRF)', async () => {
    const payload = encryptContext(userContext(testServer.sandbox.locationId));
    for (const headers of [
      { Origin: 'https://evil.example' },
      { 'Sec-Fetch-Site': 'cross-site' },
      { Origin: 'null' },
    ]) {
      const forged = await call(testServer, { method: 'POST', path: '/session', json: { payload }, headers });
      assert.equal(forged.body.code, 'ORIGIN_NOT_ALLOWED');
      const ended = await call(testServer, { method: 'DELETE', path: '/session', headers });
      assert.equal(ended.body.code, 'ORIGIN_NOT_ALLOWED');
    }
  });

  it('writes neither context, session nor secret into the log', async () => {
    const payload = encryptContext(userContext(testServer.sandbox.locationId));
    const { token } = JSON.parse((await post(payload)).text) as { token: string };
    await call(testServer, { ...PROBE, headers: bearer(token) });
    await post('garbage');
    for (const line of testServer.log.lines) {
      for (const secret of [payload, token, SESSION_SECRET, SSO_ENV.SSO_SHARED_SECRET, 'maria@example.com']) {
        assert(!line.includes(secret), line);
      }
    }
  });
});
