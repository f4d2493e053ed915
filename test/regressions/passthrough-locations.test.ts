import assert from 'node:assert/strict';
import { createRuleBook } from '../../server/passthrough/rules.ts';
import { connectTo } from '../helpers/raw-client.ts';
import { createTestServer, type TestServer } from '../helpers/test-server.ts';

const PASSTHROUGH =
  'POST /conversations/messages,GET /locations/:id/tags,GET /locations/:locationId/x/:locationId';

interface Sent {
  readonly method?: string;
  readonly path: string;
  readonly type?: string;
  readonly body?: string | Buffer;
}

/** Sends bytes that no client library would, and gives `status code`. */
async function send(
  testServer: TestServer,
  { method = 'POST', path, type, body = '' }: Sent,
): Promise<string> {
  const bytes = Buffer.from(body);
  const about = type === undefined ? '' : `Content-Type: ${type}\r\nContent-Length: ${bytes.length}\r\n`;
  using client = await connectTo(testServer);
  await client.send(`${method} /api${path} HTTP/1.1\r\nHost: localhost\r\n${about}\r\n`);
  await client.send(bytes);
  const { status, body: response } = await client.response();
  return `${status} ${response.code ?? ''}`.trim();
}

describe('a location in a passed-through call', () => {
  let testServer: TestServer;
  before(async () => {
    testServer = await createTestServer({ env: { PASSTHROUGH } });
  });
  after(() => testServer[Symbol.asyncDispose]());
  afterEach(() => assert.deepEqual(testServer.sandbox.requests, [], 'something reached Leadway'));

  it('is one behind /locations/, whatever the rule calls it', async () => {
    const path = '/locations/anotherLocation01/tags';
    assert.equal(await send(testServer, { method: 'GET', path }), '403 LOCATION_NOT_ALLOWED');
  });

  it('counts each time when a rule has the name twice', async () => {
    const { locationId } = testServer.sandbox;
    for (const path of [`/locations/another/x/${locationId}`, `/locations/${locationId}/x/another`]) {
      assert.equal(await send(testServer, { method: 'GET', path }), '403 LOCATION_NOT_ALLOWED');
    }
    const rules = createRuleBook([{ method: 'GET', path: '/a/:id/:id' }]);
    assert.deepEqual(rules.match('GET', ['a', 'b', 'c'])?.parameters, [
      ['id', 'b'],
      ['id', 'c'],
    ]);
  });

  const crossings: readonly string[] = [
    '{"locationId":"own","locationId":"another"}',
    '{"\\u006cocationId":"another"}',
    '{"__proto__":{"locationId":"another"}}',
    '{"a":{"toJSON":{"locationId":"another"}}}',
    '{"a":[{"Location_ID":"another"}]}',
    '\ufeff{"locationId":"another"}',
  ];
  for (const body of crossings) {
    it(`is seen in ${JSON.stringify(body)}`, async () => {
      const call = { path: '/conversations/messages', type: 'application/json', body };
      assert.equal(await send(testServer, call), '403 LOCATION_NOT_ALLOWED');
    });
  }

  for (const body of [
    '{"locationId":12345678901234567890123}',
    '{"locationId":{"$ne":"x"}}',
    '{"locationId":true}',
  ]) {
    it(`must be text: ${body}`, async () => {
      const call = { path: '/conversations/messages', type: 'application/json', body };
      assert.equal(await send(testServer, call), '400 INVALID_FIELD');
    });
  }

  it('cannot hide in a body that nests without end', async () => {
    const depth = 400_000;
    const body = `{"a":${'['.repeat(depth)}${']'.repeat(depth)}}`;
    const call = { path: '/conversations/messages', type: 'application/json', body };
    assert.equal(await send(testServer, call), '400 BAD_JSON');
  });

  const charsets = ['utf-7', 'utf-16le', 'utf-32', '"utf-16"', 'utf-8; charset=utf-16', 'utf-8-sig'];
  for (const charset of charsets) {
    it(`cannot hide from a filter in front as JSON in ${charset}`, async () => {
      const type = `application/json; charset=${charset}`;
      const call = { path: '/conversations/messages', type, body: '{}' };
      assert.equal(await send(testServer, call), '415 NOT_JSON');
    });
  }
});

describe('JSON that says it is UTF-8', () => {
  it('is taken, in every spelling of that', async () => {
    await using testServer = await createTestServer();
    for (const charset of ['utf-8', 'UTF-8', '"utf-8"']) {
      const type = `application/json; charset=${charset}`;
      const call = { path: '/messages/upload/complete', type, body: '{"ticket":"x"}' };
      assert.equal(await send(testServer, call), '403 TICKET_INVALID', charset);
    }
  });
});
