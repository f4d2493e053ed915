import assert from 'node:assert/strict';
import request, { type Test } from 'supertest';
import { FORM_TYPE, fixture } from '../helpers/multipart.ts';
import { createTestServer, settled, type TestServer } from '../helpers/test-server.ts';
import { within } from '../helpers/within.ts';
import { assertError } from '../server/errors/assert-error.ts';
import { dial, type Wire } from '../server/http/wire.ts';

function call(testServer: TestServer, forwardedFor?: string): Test {
  const test = request(testServer.api).post('/messages/upload');
  return forwardedFor === undefined ? test : test.set('X-Forwarded-For', forwardedFor);
}

describe('the rate limit', () => {
  it('tells in every response what is left, in the headers of the IETF draft', async () => {
    await using testServer = await createTestServer({
      env: { RATE_LIMIT_MAX: '3', RATE_LIMIT_WINDOW_MS: '30000' },
    });
    for (const left of [2, 1, 0]) {
      const { headers } = await call(testServer);
      assert.match(headers['ratelimit-policy'] ?? '', /^"requests"; q=3; w=30(; pk=:[\w+/=]+:)?$/);
      assert.match(headers['ratelimit'] ?? '', new RegExp(`^"requests"; r=${left}; t=\\d+$`));
      assert.equal(headers['x-ratelimit-limit'], undefined);
    }
    const rejected = await call(testServer);
    const { retryAfterMs = 0, message } = assertError(rejected, 'RATE_LIMITED');
    assert(retryAfterMs >= 1_000 && retryAfterMs <= 30_000);
    assert(message.includes(`${Math.ceil(retryAfterMs / 1000)} s`));
    assert.match(rejected.headers['ratelimit'] ?? '', /r=0/);
    await testServer.assertClean();
  });

  it('lets the client in again when the window is over', async () => {
    await using testServer = await createTestServer({
      env: { RATE_LIMIT_MAX: '1', RATE_LIMIT_WINDOW_MS: '1000' },
    });
    assertError(await call(testServer), 'NOT_MULTIPART');
    const rejected = assertError(await call(testServer), 'RATE_LIMITED');
    assert((rejected.retryAfterMs ?? 0) >= 1_000);
    let response = await call(testServer);
    while (response.status === 429) response = await call(testServer);
    assertError(response, 'NOT_MULTIPART');
  });

  it('counts every call of the API together, and no probe or configuration', async () => {
    await using testServer = await createTestServer({ env: { RATE_LIMIT_MAX: '4' } });
    for (const path of ['', '/initiate', '/complete', '/content']) {
      await request(testServer.api).post(`/messages/upload${path}`);
    }
    assertError(await call(testServer), 'RATE_LIMITED');
    for (const path of ['/healthz', '/readyz', '/api/config']) {
      const { headers } = await request(testServer.url).get(path).expect(200);
      assert.equal(headers['ratelimit'], undefined);
    }
  });

  const identities: readonly (readonly [string, string, string, string, 'one' | 'two'])[] = [
    ['off believes no forwarded address', '', '192.0.2.1', '192.0.2.2', 'one'],
    ['1 tells clients apart by the proxy’s word', '1', '192.0.2.1', '192.0.2.2', 'two'],
    [
      '1 does not believe what the client said before it',
      '1',
      '1.1.1.1, 192.0.2.1',
      '2.2.2.2, 192.0.2.1',
      'one',
    ],
    ['2 looks behind two proxies', '2', '192.0.2.1, 10.0.0.1', '192.0.2.2, 10.0.0.1', 'two'],
    ['loopback trusts the proxy on this machine', 'loopback', '192.0.2.1', '192.0.2.2', 'two'],
    ['10.0.0.0/8 does not trust another one', '10.0.0.0/8', '192.0.2.1', '192.0.2.2', 'one'],
    ['1 takes an IPv6 /56 for one client', '1', '2001:db8:0:aa01::1', '2001:db8:0:aaff::2', 'one'],
    ['1 takes another /56 for another client', '1', '2001:db8:0:aa01::1', '2001:db8:0:ab01::1', 'two'],
    ['1 takes a mapped IPv4 address for itself', '1', '::ffff:192.0.2.1', '192.0.2.1', 'one'],
  ];
  for (const [what, trust, first, second, expected] of identities) {
    it(`TRUST_PROXY=${what}`, async () => {
      await using testServer = await createTestServer({
        env: { RATE_LIMIT_MAX: '1', ...(trust !== '' && { TRUST_PROXY: trust }) },
      });
      await call(testServer, first);
      assertError(await call(testServer, second), expected === 'one' ? 'RATE_LIMITED' : 'NOT_MULTIPART');
    });
  }
});

/** Begins an upload that does not go on. */
function begin(testServer: TestServer, forwardedFor: string): Promise<Wire> {
  return dial(
    testServer.url,
    `POST /api/messages/upload HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: ${forwardedFor}\r\nContent-Type: ${FORM_TYPE}\r\nContent-Length: 1000\r\n\r\n`,
  );
}

describe('slots for uploads', () => {
  let testServer: TestServer;
  before(async () => {
    testServer = await createTestServer({
      env: { TRUST_PROXY: '1', MAX_CONCURRENT_UPLOADS: '3', MAX_CONCURRENT_UPLOADS_PER_CALLER: '2' },
    });
  });
  afterEach(() => testServer.assertClean());
  after(() => testServer[Symbol.asyncDispose]());

  const taken = (count: number) =>
    settled(() => testServer.server.context.slots.taken === count, `${count} slots are taken`);

  it('are so many for one client and so many for all, and are free again when clients leave', async () => {
    using first = await begin(testServer, '192.0.2.1');
    using second = await begin(testServer, '192.0.2.1');
    await taken(2);
    assertError(await call(testServer, '192.0.2.1'), 'TOO_MANY_UPLOADS');
    using third = await begin(testServer, '192.0.2.2');
    await taken(3);
    const busy = await call(testServer, '192.0.2.3');
    assertError(busy, 'BUSY');
    assert.equal(busy.headers['retry-after'], '1');
    const relay = await request(testServer.api)
      .put('/messages/upload/content')
      .set('X-Forwarded-For', '192.0.2.3');
    assertError(relay, 'BUSY');
    await request(testServer.api).get('/config').expect(200);

    first.socket.destroy();
    await taken(2);
    assertError(await call(testServer, '192.0.2.3'), 'NOT_MULTIPART');
    second.socket.destroy();
    third.socket.destroy();
    await taken(0);
  });

  it('are not kept by a client that disconnects while a shared place is asked for', async () => {
    await using own = await createTestServer({ env: { MAX_CONCURRENT_UPLOADS: '1' } });
    const slots = own.server.context.slots as { take: typeof own.server.context.slots.take };
    const take = slots.take.bind(slots);
    const asked = Promise.withResolvers<void>();
    const responded = Promise.withResolvers<void>();
    slots.take = async (client) => {
      const release = await take(client);
      asked.resolve();
      await responded.promise; // as long as Redis takes
      return release;
    };
    const wire = await begin(own, '192.0.2.1');
    await within(asked.promise, 'a place is asked for');
    assert.equal(own.server.context.slots.taken, 1);
    wire.socket.destroy();
    await settled(() => own.server.openConnections() === 0, 'the client has disconnected');
    responded.resolve();
    await own.assertClean();
  });

  it('are free again after an upload, a rejection and a timeout', async () => {
    await using quick = await createTestServer({
      env: { MAX_CONCURRENT_UPLOADS: '1', UPLOAD_IDLE_TIMEOUT_MS: '80' },
    });
    for (const name of ['picture.png', 'picture.exe', 'other.png']) {
      const response = await call(quick)
        .field(quick.fields)
        .attach('fileAttachment', fixture('picture.png'), name);
      assert.equal(response.status, name.endsWith('exe') ? 415 : 200);
    }
    using stuck = await begin(quick, '192.0.2.1');
    assertError(await stuck.response(), 'REQUEST_TIMEOUT');
    assertError(await call(quick), 'NOT_MULTIPART');
    await quick.assertClean({ completeUploads: 2 });
  });
});
