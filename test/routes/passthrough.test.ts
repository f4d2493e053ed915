import assert from 'node:assert/strict';
import { createHouse, type House, type HouseOptions, settled } from '../helpers/house.ts';
import { connectTo } from '../helpers/raw-caller.ts';

const RULES =
  'POST /conversations/messages,GET /conversations/search,GET /conversations/:id,DELETE /things/:id';

const open = (options: HouseOptions = {}): Promise<House> =>
  createHouse({ ...options, env: { PASSTHROUGH: RULES, ...options.env } });

const assertNothingSent = ({ sandbox }: House): void =>
  assert.equal(sandbox.requests.length, 0, 'something reached Leadway');

interface Json {
  readonly code?: string;
  readonly echo?: { readonly query: Record<string, string>; readonly body: unknown };
  readonly [key: string]: unknown;
}

const ask = async (house: House, path: string, init: RequestInit = {}) => {
  const answer = await fetch(`${house.api}${path}`, { redirect: 'manual', ...init });
  const text = await answer.text();
  const isJson = answer.headers.get('content-type')?.startsWith('application/json') === true;
  return { answer, status: answer.status, text, json: (isJson ? JSON.parse(text) : {}) as Json };
};

const post = (house: House, body: unknown, headers: Record<string, string> = {}) =>
  ask(house, '/conversations/messages', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });

const MESSAGE = { type: 'SMS', contactId: 'sandboxContact01', message: 'hola' };

describe('A listed call', () => {
  it('is logged with its location and under its pattern, which holds no ids', async () => {
    await using house = await open();
    await ask(house, '/conversations/sandboxConversation01');
    const isLine = (entry: Record<string, unknown>) => entry['msg'] === 'request';
    await settled(() => house.log.entries.some(isLine), 'the line of the request');
    const { route, locationId, upstreamStatus, upstreamMs } = house.log.entries.find(isLine) ?? {};
    assert.deepEqual(
      { route, locationId, upstreamStatus },
      {
        route: '/api/conversations/:id',
        locationId: house.sandbox.locationId,
        upstreamStatus: 200,
      },
    );
    assert(Number.isInteger(upstreamMs));
  });

  it('may be made with HEAD where it is a GET, and only there', async () => {
    await using house = await open();
    const whole = await ask(house, '/conversations/sandboxConversation01');
    const head = await fetch(`${house.api}/conversations/sandboxConversation01`, { method: 'HEAD' });
    assert.equal(`${head.status} ${await head.text()}`, '200 ');
    assert.equal(head.headers.get('content-type'), whole.answer.headers.get('content-type'));
    assert.deepEqual(
      house.sandbox.requests.map(({ method }) => method),
      ['GET', 'GET'],
    );
    const none = await fetch(`${house.api}/things/thing01`, { method: 'HEAD' });
    assert.equal(none.status, 404);
    assert.equal(house.sandbox.requests.length, 2);
    await house.assertTidy();
  });

  it('reaches Leadway with the token, the version and nothing of the caller’s headers', async () => {
    await using house = await open();
    const { status, json, answer } = await post(house, MESSAGE, {
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
    const [request] = house.sandbox.requests;
    assert.deepEqual(request?.headers, {
      authorization: `Bearer ${house.sandbox.token}`,
      version: '2021-07-28',
      accept: 'application/json',
      'accept-encoding': 'identity',
      'user-agent': 'leadway-bff',
      'content-type': 'application/json',
      'content-length': String(JSON.stringify(MESSAGE).length),
      host: new URL(house.sandbox.url).host,
      connection: 'keep-alive',
    });
    assert.equal(answer.headers.get('set-cookie'), null);
    assert.equal(answer.headers.get('x-ratelimit-max'), null);
    assert.equal(answer.headers.get('cache-control'), 'no-store');
    await house.assertTidy();
  });

  it('answers with what Leadway answered, its query written anew', async () => {
    await using house = await open();
    const { json } = await ask(
      house,
      '/conversations/search?locationId=sandboxLocation01&q=a%20b%2fc&q2=%C3%B1',
    );
    assert.deepEqual(json.echo?.query, { locationId: 'sandboxLocation01', q: 'a b/c', q2: 'ñ' });
  });

  it('may be a GET with a body, which is held to the same rules', async () => {
    await using house = await open();
    using caller = await connectTo(house);
    const body = '{"locationId":"sandboxLocation02"}';
    await caller.send(
      `GET /api/conversations/sandboxConversation01 HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    assert.equal((await caller.answer()).body.code, 'LOCATION_NOT_ALLOWED');
    assertNothingSent(house);
  });

  it('without a body is sent without one', async () => {
    await using house = await open();
    await ask(house, '/things/abc', { method: 'DELETE' });
    const [request] = house.sandbox.requests;
    assert.equal(request?.method, 'DELETE');
    assert.equal(request?.bodyBytes, 0);
    assert.equal(request?.headers['content-type'], undefined);
  });

  it('passes Leadway’s refusals on in our shape', async () => {
    await using house = await open();
    const { status, json } = await post(house, {});
    assert.equal(status, 400);
    assert.equal(json.code, 'UPSTREAM_REJECTED');
    assert.match(String(json['message']), /contactId/);
    assert.equal(typeof json['upstreamTraceId'], 'string');
    assert.match(String(json['requestId']), /\S/);
  });

  it('is counted by the rate limit like all others', async () => {
    await using house = await open({ env: { RATE_LIMIT_MAX: '2' } });
    const path = `/conversations/${house.sandbox.conversationId}`;
    assert.equal((await ask(house, path)).status, 200);
    assert.equal((await ask(house, path)).status, 200);
    assert.equal((await ask(house, path)).json.code, 'RATE_LIMITED');
    assert.equal(house.sandbox.requests.length, 2);
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
      await using house = await open();
      const answer = await fetch(`${house.api}${path}`, { method });
      assert.equal(answer.status, 404);
      if (method !== 'HEAD') assert.equal(((await answer.json()) as Json).code, 'NOT_FOUND');
      assertNothingSent(house);
      await house.assertTidy();
    });
  }

  it('is 404 where nothing is listed', async () => {
    await using house = await createHouse();
    assert.equal((await ask(house, '/conversations/abc')).status, 404);
    assertNothingSent(house);
  });

  it('never hides one of ours', async () => {
    await using house = await open({
      env: { PASSTHROUGH: 'POST /messages/upload,GET /config,POST /messages/upload/complete' },
    });
    assert.equal((await ask(house, '/messages/upload', { method: 'POST' })).json.code, 'NOT_MULTIPART');
    assert.equal((await ask(house, '/config')).status, 200);
    assertNothingSent(house);
  });

  it('is 404 without a base path too, and its pages stay', async () => {
    await using house = await open({ env: { BASE_PATH: '/' } });
    assert.equal((await fetch(`${house.url}/conversations/${house.sandbox.conversationId}`)).status, 200);
    assert.equal((await fetch(`${house.url}/`)).status, 404);
    assert.equal((await fetch(`${house.url}/healthz`)).status, 200);
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
    ['nothing but blanks', '   ', {}, 400, 'BAD_JSON'],
    ['depth without end', `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, {}, 400, null],
  ] as const) {
    it(`may not be ${what}`, async () => {
      await using house = await open();
      const { status: came, json } = await post(house, body, headers);
      assert.equal(came, status);
      if (code !== null) assert.equal(json.code, code);
      assertNothingSent(house);
      await house.assertTidy();
    });
  }

  it('may have 1 MiB and no byte more', async () => {
    await using house = await open();
    const max = 1024 * 1024;
    const ofSize = (bytes: number): string => {
      const empty = JSON.stringify({ ...MESSAGE, message: '' });
      return JSON.stringify({ ...MESSAGE, message: 'x'.repeat(bytes - empty.length) });
    };
    assert.equal((await post(house, ofSize(max + 1))).json.code, 'BODY_TOO_LARGE');
    assertNothingSent(house);
    assert.equal((await post(house, ofSize(max))).status, 201);
    assert.equal(house.sandbox.requests[0]?.bodyBytes, max);
  });

  it('arrives as it was checked: of two equal keys the last, and `__proto__` as a plain key', async () => {
    await using house = await open();
    const { status } = await post(
      house,
      '{"type":"Email","type":"SMS","contactId":"sandboxContact01","__proto__":{"a":1},"constructor":{"prototype":2}}',
    );
    assert.equal(status, 201);
    const text = JSON.stringify(house.sandbox.requests[0]?.json);
    assert.equal(
      text,
      '{"type":"SMS","contactId":"sandboxContact01","__proto__":{"a":1},"constructor":{"prototype":2}}',
    );
  });

  it('may have 50,000 values and not one more, whatever its texts hold', async () => {
    await using house = await open();
    const ofNumbers = (count: number): string =>
      JSON.stringify({
        ...MESSAGE,
        message: ',:"\\,'.repeat(20_000),
        a: Array.from({ length: count }, () => 1),
      });
    const others = new Set([...Object.keys(MESSAGE), 'message', 'a']).size;
    assert.equal((await post(house, ofNumbers(50_000 - others))).status, 201);
    const { status, json } = await post(house, ofNumbers(50_001 - others));
    assert.deepEqual([status, json.code], [400, 'BAD_JSON']);
    assert.equal(house.sandbox.requests.length, 1);
  });

  it('is not asked for under Expect: 100-continue when the call is refused without it', async () => {
    await using house = await open();
    using caller = await connectTo(house);
    await caller.send(
      'POST /api/conversations/messages HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n',
    );
    assert.equal((await caller.answer()).body.code, 'NOT_JSON');
    assert(!caller.received.includes('100 Continue'));
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
    it(`is held to the caller’s in ${what}`, async () => {
      await using house = await open();
      const { status, json } = await ask(house, `/conversations/messages${query}`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ ...MESSAGE, ...body }),
      });
      assert.deepEqual({ status, code: json.code }, { status: 403, code: 'LOCATION_NOT_ALLOWED' });
      assertNothingSent(house);
    });
  }

  for (const [what, value] of [
    ['a number', 5],
    ['an object', { $ne: '' }],
    ['a list of lists', [['sandboxLocation01']]],
    ['true', true],
  ] as const) {
    it(`may not be ${what}`, async () => {
      await using house = await open();
      const { json } = await post(house, { ...MESSAGE, locationId: value });
      assert.equal(json.code, 'INVALID_FIELD');
      assertNothingSent(house);
    });
  }

  it('is held to the caller’s in the path', async () => {
    await using house = await open({ env: { PASSTHROUGH: 'GET /locations/:locationId' } });
    assert.equal((await ask(house, '/locations/sandboxLocation02')).json.code, 'LOCATION_NOT_ALLOWED');
    assertNothingSent(house);
    await ask(house, '/locations/sandboxLocation01');
    assert.equal(house.sandbox.requests[0]?.path, '/locations/sandboxLocation01');
  });

  it('may be left empty, as anywhere', async () => {
    await using house = await open();
    assert.equal((await post(house, { ...MESSAGE, locationId: '' })).status, 201);
    assert.equal((await post(house, { ...MESSAGE, locationId: null })).status, 201);
  });
});
