import assert from 'node:assert/strict';
import { createRuleBook } from '../../server/passthrough/rules.ts';
import { createHouse, type House } from '../helpers/house.ts';
import { connectTo } from '../helpers/raw-caller.ts';

const PASSTHROUGH =
  'POST /conversations/messages,GET /locations/:id/tags,GET /locations/:locationId/x/:locationId';

interface Sent {
  readonly method?: string;
  readonly path: string;
  readonly type?: string;
  readonly body?: string | Buffer;
}

/** Sends bytes that no client library would, and gives `status code`. */
async function send(house: House, { method = 'POST', path, type, body = '' }: Sent): Promise<string> {
  const bytes = Buffer.from(body);
  const about = type === undefined ? '' : `Content-Type: ${type}\r\nContent-Length: ${bytes.length}\r\n`;
  using caller = await connectTo(house);
  await caller.send(`${method} /api${path} HTTP/1.1\r\nHost: localhost\r\n${about}\r\n`);
  await caller.send(bytes);
  const { status, body: answer } = await caller.answer();
  return `${status} ${answer.code ?? ''}`.trim();
}

describe('a location in a passed-through call', () => {
  let house: House;
  before(async () => {
    house = await createHouse({ env: { PASSTHROUGH } });
  });
  after(() => house[Symbol.asyncDispose]());
  afterEach(() => assert.deepEqual(house.sandbox.requests, [], 'something reached Leadway'));

  it('is one behind /locations/, whatever the rule calls it', async () => {
    const path = '/locations/anotherLocation01/tags';
    assert.equal(await send(house, { method: 'GET', path }), '403 LOCATION_NOT_ALLOWED');
  });

  it('counts each time when a rule has the name twice', async () => {
    const { locationId } = house.sandbox;
    for (const path of [`/locations/another/x/${locationId}`, `/locations/${locationId}/x/another`]) {
      assert.equal(await send(house, { method: 'GET', path }), '403 LOCATION_NOT_ALLOWED');
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
      assert.equal(await send(house, call), '403 LOCATION_NOT_ALLOWED');
    });
  }

  for (const body of [
    '{"locationId":12345678901234567890123}',
    '{"locationId":{"$ne":"x"}}',
    '{"locationId":true}',
  ]) {
    it(`must be text: ${body}`, async () => {
      const call = { path: '/conversations/messages', type: 'application/json', body };
      assert.equal(await send(house, call), '400 INVALID_FIELD');
    });
  }

  it('cannot hide in a body that nests without end', async () => {
    const depth = 400_000;
    const body = `{"a":${'['.repeat(depth)}${']'.repeat(depth)}}`;
    const call = { path: '/conversations/messages', type: 'application/json', body };
    assert.equal(await send(house, call), '400 BAD_JSON');
  });

  const charsets = ['utf-7', 'utf-16le', 'utf-32', '"utf-16"', 'utf-8; charset=utf-16', 'utf-8-sig'];
  for (const charset of charsets) {
    it(`cannot hide from a filter in front as JSON in ${charset}`, async () => {
      const type = `application/json; charset=${charset}`;
      const call = { path: '/conversations/messages', type, body: '{}' };
      assert.equal(await send(house, call), '415 NOT_JSON');
    });
  }
});

describe('JSON that says it is UTF-8', () => {
  it('is taken, in every spelling of that', async () => {
    await using house = await createHouse();
    for (const charset of ['utf-8', 'UTF-8', '"utf-8"']) {
      const type = `application/json; charset=${charset}`;
      const call = { path: '/messages/upload/complete', type, body: '{"ticket":"x"}' };
      assert.equal(await send(house, call), '403 TICKET_INVALID', charset);
    }
  });
});
