import assert from 'node:assert/strict';
import { connectTo } from '../helpers/raw-client.ts';
import {
  createTestServer,
  settled,
  type TestServer,
  type TestServerOptions,
} from '../helpers/test-server.ts';

const RULES =
  'POST /conversations/messages,GET /conversations/search,GET /conversations/:id,DELETE /things/:id';

const open = (options: TestServerOptions = {}): Promise<TestServer> =>
  createTestServer({ ...options, env: { PASSTHROUGH: RULES, ...options.env } });

const assertNothingSent = ({ sandbox }: TestServer): void =>
  assert.equal(sandbox.requests.length, 0, 'something reached Leadway');

interface Json {
  readonly code?: string;
  readonly echo?: { readonly query: Record<string, string>; readonly body: unknown };
  readonly [key: string]: unknown;
}

const ask = async (testServer: TestServer, path: string, init: RequestInit = {}) => {
  const response = await fetch(`${testServer.api}${path}`, { redirect: 'manual', ...init });
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.startsWith('application/json') === true;
  return { response, status: response.status, text, json: (isJson ? JSON.parse(text) : {}) as Json };
};

const post = (testServer: TestServer, body: unknown, headers: Record<string, string> = {}) =>
  ask(testServer, '/conversations/messages', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });

const MESSAGE = { type: 'SMS', contactId: 'sandboxContact01', message: 'hola' };

describe('A listed call', () => {
  it('is logged with its location and under its pattern, which holds no ids', async () => {
    await using testServer = await open();
    await ask(testServer, '/conversations/sandboxConversation01');
    const isLine = (entry: Record<string, unknown>) => entry['msg'] === 'request';
    await settled(() => testServer.log.entries.some(isLine), 'the line of the request');
    const { route, locationId, upstreamStatus, upstreamMs } = testServer.log.entries.find(isLine) ?? {};
    assert.deepEqual(
      { route, locationId, upstreamStatus },
      {
        route: '/api/conversations/:id',
        locationId: testServer.sandbox.locationId,
        upstreamStatus: 200,
      },
    );
    assert(Number.isInteger(upstreamMs));
  });

  it('may be made with HEAD where it is a GET, and only there', async () => {
    await using testServer = await open();
    const whole = await ask(testServer, '/conversations/sandboxConversation01');
    const head = await fetch(`${testServer.api}/conversations/sandboxConversation01`, { method: 'HEAD' });
    assert.equal(`${head.status} ${await head.text()}`, '200 ');
    assert.equal(head.headers.get('content-type'), whole.response.headers.get('content-type'));
    assert.deepEqual(
      testServer.sandbox.requests.map(({ method }) => method),
      ['GET', 'GET'],
    );
    const none = await fetch(`${testServer.api}/things/thing01`, { method: 'HEAD' });
    assert.equal(none.status, 404);
    assert.equal(testServer.sandbox.requests.length, 2);
    await testServer.assertClean();
  });

  it('reaches Leadway with the token, the version and nothing of the client’s headers', async () => {
    await using testServer = await open();
    const { status, json, response } = await post(testServer, MESSAGE, {
      Authorization: 'Bearer of-the-caller',
      Cookie: 'session=secret',
      'X-Custom': 'x',
      'X-Forwarded-For': '1.2.3.4',
      Accept: 'text/html',
      Version: '1999-01-01',
      'User-Agent': 'evil',
    });
    assert.equal(status, 201);
    assert.deepEqual(json.echo?.body, MESSAGE);
    const [request] = testServer.sandbox.requests;
    assert.deepEqual(request?.headers, {
      authorization: `Bearer ${testServer.sandbox.token}`,
      version: '2021-07-28',
      accept: 'application/json',
      'accept-encoding': 'identity',
      'user-agent': 'leadway-bff',
      'content-type': 'application/json',
      'content-length': String(JSON.stringify(MESSAGE).length),
      host: new URL(testServer.sandbox.url).host,
      connection: 'keep-alive',
    });
    assert.equal(response.headers.get('set-cookie'), null);
    assert.equal(response.headers.get('x-ratelimit-max'), null);
    assert.equal(response.headers.get('cache-control'), 'no-store');
    await testServer.assertClean();
  });

  it('responds with what Leadway responded, its query rewritten', async () => {
    await using testServer = await open();
    const { json } = await ask(
      testServer,
      '/conversations/search?locationId=sandboxLocation01&q=a%20b%2fc&q2=%C3%B1',
    );
    assert.deepEqual(json.echo?.query, { locationId: 'sandboxLocation01', q: 'a b/c', q2: 'ñ' });
  });

  it('may be a GET with a body, which is held to the same rules', async () => {
    await using testServer = await open();
    using client = await connectTo(testServer);
    const body = '{"locationId":"sandboxLocation02"}';
    await client.send(
      `GET /api/conversations/sandboxConversation01 HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    assert.equal((await client.response()).body.code, 'LOCATION_NOT_ALLOWED');
    assertNothingSent(testServer);
  });

  it('without a body is sent without one', async () => {
    await using testServer = await open();
    await ask(testServer, '/things/abc', { method: 'DELETE' });
    const [request] = testServer.sandbox.requests;
    assert.equal(request?.method, 'DELETE');
    assert.equal(request?.bodyBytes, 0);
    assert.equal(request?.headers['content-type'], undefined);
  });

  it('passes Leadway’s rejections on in our shape', async () => {
    await using testServer = await open();
    const { status, json } = await post(testServer, {});
    assert.equal(status, 400);
    assert.equal(json.code, 'UPSTREAM_REJECTED');
    assert.match(String(json['message']), /contactId/);
    assert.equal(typeof json['upstreamTraceId'], 'string');
    assert.match(String(json['requestId']), /\S/);
  });

  it('is counted by the rate limit like all others', async () => {
    await using testServer = await open({ env: { RATE_LIMIT_MAX: '2' } });
    const path = `/conversations/${testServer.sandbox.conversationId}`;
    assert.equal((await ask(testServer, path)).status, 200);
    assert.equal((await ask(testServer, path)).status, 200);
    assert.equal((await ask(testServer, path)).json.code, 'RATE_LIMITED');
    assert.equal(testServer.sandbox.requests.length, 2);
  });
});

describe('A call that is not listed', () => {
  for (const [method, path] of [
    ['GET', '/contacts'],
    ['GET', '/conversations'],
    ['PUT', '/conversations/abc'],
    ['GET', '/conversations/messages/abc'],
    ['GET', '/conversations/abc/messages'],
    ['POST', '/conversations/abc'],
    ['HEAD', '/things/abc'],
    ['PATCH', '/conversations/messages'],
    ['GET', `/conversations/${'a'.repeat(65)}`],
    ['GET', '/conversations/a.b'],
    ['GET', '/conversations/a:b'],
    ['POST', '/CONVERSATIONS/messages'],
  ] as const) {
    it(`is 404: ${method} ${path.slice(0, 40)}`, async () => {
      await using testServer = await open();
      const response = await fetch(`${testServer.api}${path}`, { method });
      assert.equal(response.status, 404);
      if (method !== 'HEAD') assert.equal(((await response.json()) as Json).code, 'NOT_FOUND');
      assertNothingSent(testServer);
      await testServer.assertClean();
    });
  }

  it('is 404 where nothing is listed', async () => {
    await using testServer = await createTestServer();
    assert.equal((await ask(testServer, '/conversations/abc')).status, 404);
    assertNothingSent(testServer);
  });

  it('never hides one of ours', async () => {
    await using testServer = await open({
      env: { PASSTHROUGH: 'POST /messages/upload,GET /config,POST /messages/upload/complete' },
    });
    assert.equal((await ask(testServer, '/messages/upload', { method: 'POST' })).json.code, 'NOT_MULTIPART');
    assert.equal((await ask(testServer, '/config')).status, 200);
    assertNothingSent(testServer);
  });

  it('is 404 without a base path too, and its pages stay', async () => {
    await using testServer = await open({ env: { BASE_PATH: '/' } });
    assert.equal(
      (await fetch(`${testServer.url}/conversations/${testServer.sandbox.conversationId}`)).status,
      200,
    );
    assert.equal((await fetch(`${testServer.url}/`)).status, 404);
    assert.equal((await fetch(`${testServer.url}/healthz`)).status, 200);
  });
});

describe('The body of a passed-through call', () => {
  for (const [what, body, headers, status, code] of [
    ['another type', 'a=b', { 'Content-Type': 'application/x-www-form-urlencoded' }, 415, 'NOT_JSON'],
    ['no type', '{}', { 'Content-Type': '' }, 415, 'NOT_JSON'],
    ['multipart', '--x--', { 'Content-Type': 'multipart/form-data; boundary=x' }, 415, 'NOT_JSON'],
    ['a type that only begins like JSON', '{}', { 'Content-Type': 'application/json-seq' }, 415, 'NOT_JSON'],
    ['a coding', '{}', { 'Content-Encoding': 'gzip' }, 415, 'UNSUPPORTED_ENCODING'],
    ['broken JSON', '{"a":', {}, 400, 'BAD_JSON'],
    ['a list', '[]', {}, 400, 'BAD_JSON'],
    ['a string', '"x"', {}, 400, 'BAD_JSON'],
    ['nothing but spaces', '   ', {}, 400, 'BAD_JSON'],
    ['depth without end', `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, {}, 400, null],
  ] as const) {
    it(`may not be ${what}`, async () => {
      await using testServer = await open();
      const { status: came, json } = await post(testServer, body, headers);
      assert.equal(came, status);
      if (code !== null) assert.equal(json.code, code);
      assertNothingSent(testServer);
      await testServer.assertClean();
    });
  }

  it('may have 1 MiB and no byte more', async () => {
    await using testServer = await open();
    const max = 1024 * 1024;
    const ofSize = (bytes: number): string => {
      const empty = JSON.stringify({ ...MESSAGE, message: '' });
      return JSON.stringify({ ...MESSAGE, message: 'x'.repeat(bytes - empty.length) });
    };
    assert.equal((await post(testServer, ofSize(max + 1))).json.code, 'BODY_TOO_LARGE');
    assertNothingSent(testServer);
    assert.equal((await post(testServer, ofSize(max))).status, 201);
    assert.equal(testServer.sandbox.requests[0]?.bodyBytes, max);
  });

  it('arrives as it was checked: of two equal keys the last, and `__proto__` as a plain key', async () => {
    await using testServer = await open();
    const { status } = await post(
      testServer,
      '{"type":"Email","type":"SMS","contactId":"sandboxContact01","__proto__":{"a":1},"constructor":{"prototype":2}}',
    );
    assert.equal(status, 201);
    const text = JSON.stringify(testServer.sandbox.requests[0]?.json);
    assert.equal(
      text,
      '{"type":"SMS","contactId":"sandboxContact01","__proto__":{"a":1},"constructor":{"prototype":2}}',
    );
  });

  it('may have 50,000 values and not one more, whatever its texts hold', async () => {
    await using testServer = await open();
    const ofNumbers = (count: number): string =>
      JSON.stringify({
        ...MESSAGE,
        message: ',:"\\,'.repeat(20_000),
        a: Array.from({ length: count }, () => 1),
      });
    const others = new Set([...Object.keys(MESSAGE), 'message', 'a']).size;
    assert.equal((await post(testServer, ofNumbers(50_000 - others))).status, 201);
    const { status, json } = await post(testServer, ofNumbers(50_001 - others));
    assert.deepEqual([status, json.code], [400, 'BAD_JSON']);
    assert.equal(testServer.sandbox.requests.length, 1);
  });

  it('is not asked for under Expect: 100-continue when the call is rejected without it', async () => {
    await using testServer = await open();
    using client = await connectTo(testServer);
    await client.send(
      'POST /api/conversations/messages HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n',
    );
    assert.equal((await client.response()).body.code, 'NOT_JSON');
    assert(!client.received.includes('100 Continue'));
  });
});

describe('The location of a passed-through call', () => {
  const OTHER = 'sandboxLocation02';
  for (const [what, query, body] of [
    ['the query', `?locationId=${OTHER}`, {}],
    ['an encoded query name', `?location%49d=${OTHER}`, {}],
    ['a query list', `?locationId[]=${OTHER}`, {}],
    ['an indexed query list', `?locationId%5B0%5D=${OTHER}`, {}],
    ['a nested query name', `?filter[locationId]=${OTHER}`, {}],
    ['a dotted query name', `?filter.locationId=${OTHER}`, {}],
    [
      'JSON in the query',
      `?filter=${encodeURIComponent(JSON.stringify({ a: [{ locationId: OTHER }] }))}`,
      {},
    ],
    ['the second of two in the query', `?locationId=sandboxLocation01&locationId=${OTHER}`, {}],
    ['another spelling in the query', `?LOCATION_ID=${OTHER}`, {}],
    ['altId', `?altId=${OTHER}&altType=location`, {}],
    ['the body', '', { locationId: OTHER }],
    ['a list in the body', '', { locationIds: ['sandboxLocation01', OTHER] }],
    ['something nested in the body', '', { a: [{ b: { location_id: OTHER } }] }],
    ['a bracketed key of the body', '', { 'locationId[]': OTHER }],
    ['another case in the body', '', { LocationID: OTHER }],
    ['a body beside a good query', '?locationId=sandboxLocation01', { locationId: OTHER }],
  ] as const) {
    it(`is held to the client’s in ${what}`, async () => {
      await using testServer = await open();
      const { status, json } = await ask(testServer, `/conversations/messages${query}`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ ...MESSAGE, ...body }),
      });
      assert.deepEqual({ status, code: json.code }, { status: 403, code: 'LOCATION_NOT_ALLOWED' });
      assertNothingSent(testServer);
    });
  }

  for (const [what, value] of [
    ['a number', 5],
    ['an object', { $ne: '' }],
    ['a list of lists', [['sandboxLocation01']]],
    ['true', true],
  ] as const) {
    it(`may not be ${what}`, async () => {
      await using testServer = await open();
      const { json } = await post(testServer, { ...MESSAGE, locationId: value });
      assert.equal(json.code, 'INVALID_FIELD');
      assertNothingSent(testServer);
    });
  }

  it('is held to the client’s in the path', async () => {
    await using testServer = await open({ env: { PASSTHROUGH: 'GET /locations/:locationId' } });
    assert.equal((await ask(testServer, '/locations/sandboxLocation02')).json.code, 'LOCATION_NOT_ALLOWED');
    assertNothingSent(testServer);
    await ask(testServer, '/locations/sandboxLocation01');
    assert.equal(testServer.sandbox.requests[0]?.path, '/locations/sandboxLocation01');
  });

  it('may be left empty, as anywhere', async () => {
    await using testServer = await open();
    assert.equal((await post(testServer, { ...MESSAGE, locationId: '' })).status, 201);
    assert.equal((await post(testServer, { ...MESSAGE, locationId: null })).status, 201);
  });
});
