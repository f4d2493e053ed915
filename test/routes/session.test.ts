import assert from 'node:assert/strict';
import { MAX_USES } from '../../server/auth/sessions.ts';
import { type Call, call, PROBE, wasLetIn } from '../helpers/call.ts';
import { fixture } from '../helpers/multipart.ts';
import { connectTo } from '../helpers/raw-client.ts';
import { type ApiResponse, filePart, sendUpload, textParts } from '../helpers/send-upload.ts';
import { encryptContext, SSO_ENV, userContext } from '../helpers/sso-context.ts';
import { createTestServer, type TestServer } from '../helpers/test-server.ts';
import { within } from '../helpers/within.ts';

interface SessionBody {
  readonly token: string;
  readonly tokenType: string;
  readonly expiresAt: number;
  readonly locationId: string;
}

const NAME = '__Host-leadway-session';
const SAME_ORIGIN = { 'Sec-Fetch-Site': 'same-origin' };

describe('/session', () => {
  let testServer: TestServer;
  beforeEach(async () => {
    testServer = await createTestServer({ env: SSO_ENV });
  });
  afterEach(async () => {
    await testServer.assertClean({
      completeUploads: testServer.sandbox.requests.filter(({ files }) => files).length,
    });
    await testServer[Symbol.asyncDispose]();
  });

  const post = (payload: unknown, headers: Call['headers'] = {}): Promise<ApiResponse> =>
    call(testServer, { method: 'POST', path: '/session', json: { payload }, headers });
  const begin = async (location = testServer.sandbox.locationId): Promise<SessionBody> => {
    const response = await post(encryptContext(userContext(location)));
    assert.equal(response.status, 200, response.text);
    return JSON.parse(response.text) as SessionBody;
  };
  const isIn = async (headers: Call['headers']): Promise<boolean> =>
    wasLetIn(await call(testServer, { ...PROBE, headers: headers ?? {} }));

  it('gives a session that may upload, as a bearer token', async () => {
    const { token, tokenType, expiresAt, locationId } = await begin();
    assert.equal(tokenType, 'Bearer');
    assert.equal(locationId, testServer.sandbox.locationId);
    assert(expiresAt > Date.now() && expiresAt <= Date.now() + 900_000);
    const form = [...textParts(testServer.fields), filePart('a.png', fixture('picture.png'))];
    const response = await sendUpload(testServer, form, { headers: { Authorization: `Bearer ${token}` } });
    assert.equal(response.status, 200, response.text);
  });

  it('gives the same session as a cookie that only this host gets and no script reads', async () => {
    const response = await post(encryptContext(userContext(testServer.sandbox.locationId)));
    const [cookie = '', ...others] = response.headers['set-cookie'] ?? [];
    assert.equal(others.length, 0);
    const [pair = '', ...attributes] = cookie.split('; ');
    const { token, expiresAt } = JSON.parse(response.text) as SessionBody;
    assert.equal(pair, `${NAME}=${token}`);
    const expires = new Date(expiresAt).toUTCString();
    assert.deepEqual(
      attributes.toSorted(),
      ['HttpOnly', 'Partitioned', 'Path=/', 'SameSite=None', 'Secure', `Expires=${expires}`].toSorted(),
    );
    assert.equal(response.headers['cache-control'], 'no-store');
    assert(await isIn({ ...SAME_ORIGIN, Cookie: pair }));
    assert(!(await isIn({ ...SAME_ORIGIN, Cookie: `leadway-session=${token}` })));
  });

  it('rejects the cookie on a request that does not say which page sent it', async () => {
    const { token } = await begin();
    const response = await call(testServer, { ...PROBE, headers: { Cookie: `${NAME}=${token}` } });
    assert.equal(response.status, 403);
    assert.equal(response.body.code, 'ORIGIN_NOT_ALLOWED');
    const ending = { method: 'DELETE', path: '/session', headers: { Cookie: `${NAME}=${token}` } };
    assert.equal((await call(testServer, ending)).body.code, 'ORIGIN_NOT_ALLOWED');
    assert(await isIn({ ...SAME_ORIGIN, Cookie: `${NAME}=${token}` }));
  });

  it('ends the session by DELETE, for the cookie and the bearer token alike', async () => {
    const { token } = await begin();
    const other = await begin();
    const headers = { ...SAME_ORIGIN, Cookie: `${NAME}=${token}` };
    const ended = await call(testServer, { method: 'DELETE', path: '/session', headers });
    assert.equal(ended.status, 204);
    assert.match(
      ended.headers['set-cookie']?.[0] ?? '',
      /^__Host-leadway-session=;.*Expires=Thu, 01 Jan 1970/,
    );
    assert(!(await isIn({ Authorization: `Bearer ${token}` })));
    assert(!(await isIn(headers)));
    assert(await isIn({ Authorization: `Bearer ${other.token}` }));
    const bearer = { Authorization: `Bearer ${other.token}` };
    await call(testServer, { method: 'DELETE', path: '/session', headers: bearer });
    assert(!(await isIn(bearer)));
  });

  it('ends the cookie with the attributes that it was set with, or browsers would keep it', async () => {
    const response = await call(testServer, { method: 'DELETE', path: '/session' });
    assert.equal(response.status, 204);
    const [cookie = ''] = response.headers['set-cookie'] ?? [];
    const [pair, ...attributes] = cookie.split('; ');
    assert.equal(pair, `${NAME}=`);
    assert.deepEqual(
      attributes.toSorted(),
      [
        'Expires=Thu, 01 Jan 1970 00:00:00 GMT',
        'HttpOnly',
        'Partitioned',
        'Path=/',
        'SameSite=None',
        'Secure',
      ].toSorted(),
    );
  });

  it('reads no body of an address that has guessed too often', async () => {
    await using guessed = await createTestServer({ env: { ...SSO_ENV, RATE_LIMIT_MAX: '1' } });
    const head =
      'POST /api/session HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 15\r\n';
    const guess = '{"payload":"x"}';
    using first = await connectTo(guessed);
    await first.send(`${head}\r\n${guess}`);
    assert.equal((await first.response()).status, 401);
    using second = await connectTo(guessed);
    await second.send(`${head}Expect: 100-continue\r\n\r\n`);
    assert.equal(
      (await within(second.response(), 'the limit speaks before the body comes')).body.code,
      'RATE_LIMITED',
    );
    assert(!second.received.includes('100 Continue'), second.received);
  });

  it('ends the session of the cookie beside that of the bearer token', async () => {
    const [mine, left] = [await begin(), await begin()];
    const headers = { Authorization: `Bearer ${mine.token}`, Cookie: `${NAME}=${left.token}` };
    const crossing = { ...headers, Authorization: 'Bearer x', 'Sec-Fetch-Site': 'cross-site' };
    const rejected = await call(testServer, { method: 'DELETE', path: '/session', headers: crossing });
    assert.equal(rejected.body.code, 'ORIGIN_NOT_ALLOWED');
    assert(await isIn({ Authorization: `Bearer ${left.token}` }));
    assert.equal((await call(testServer, { method: 'DELETE', path: '/session', headers })).status, 204);
    for (const { token } of [mine, left]) assert(!(await isIn({ Authorization: `Bearer ${token}` })));
  });

  it('accepts the end of a session that does not exist', async () => {
    for (const headers of [{}, { Authorization: 'Bearer x' }, { ...SAME_ORIGIN, Cookie: `${NAME}=x` }]) {
      assert.equal((await call(testServer, { method: 'DELETE', path: '/session', headers })).status, 204);
    }
  });

  it('lets one context be exchanged again when a page reloads, but only so often, and logs it', async () => {
    const payload = encryptContext(userContext(testServer.sandbox.locationId));
    for (let i = 0; i < MAX_USES; i += 1) assert.equal((await post(payload)).status, 200);
    const replayed = await post(payload);
    assert.equal(replayed.status, 401);
    assert.equal(replayed.body.code, 'UNAUTHENTICATED');
    assert.equal(replayed.headers['set-cookie'], undefined);
    const line = testServer.log.entries.find(({ msg }) => msg === 'a user context was replayed and rejected');
    assert.equal(line?.['count'], MAX_USES + 1);
    assert.equal((await post(encryptContext(userContext(testServer.sandbox.locationId)))).status, 200);
  });

  it('says what is missing or wrong about the payload', async () => {
    for (const [payload, code] of [
      [undefined, 'MISSING_FIELD'],
      ['', 'MISSING_FIELD'],
      [null, 'MISSING_FIELD'],
      [7, 'INVALID_FIELD'],
      [['a'], 'INVALID_FIELD'],
    ] as const) {
      const response = await post(payload);
      assert.equal(response.status, 400);
      assert.equal(response.body.code, code);
    }
  });

  it('responds to other methods with 405 and the two there are', async () => {
    const response = await call(testServer, { path: '/session' });
    assert.equal(response.status, 405);
    assert.equal(response.headers['allow'], 'POST, DELETE');
  });

  it('is not there under another kind of AUTH', async () => {
    await using none = await createTestServer();
    const response = await call(none, { method: 'POST', path: '/session', json: { payload: 'x' } });
    assert.equal(response.status, 404);
  });
});
