import assert from 'node:assert/strict';
import request from 'supertest';
import { createTestServer, type TestServer } from '../helpers/test-server.ts';
import { assertError } from '../server/errors/assert-error.ts';
import { dial } from '../server/http/wire.ts';

describe('what every response carries', () => {
  let testServer: TestServer;
  before(async () => {
    testServer = await createTestServer({ page: true });
  });
  afterEach(() => testServer.assertClean());
  after(() => testServer[Symbol.asyncDispose]());

  describe('the request id', () => {
    const taken = ['abc', 'A-1_b.c:d=e+f/g', 'a'.repeat(128), '0af7651916cd43dd8448eb211c80319c'];
    for (const id of taken) {
      it(`is the proxy’s when it is well-formed: ${id.slice(0, 40)}`, async () => {
        const response = await request(testServer.api).get('/config').set('X-Request-Id', id).expect(200);
        assert.equal(response.headers['x-request-id'], id);
      });
    }

    const replaced = ['a b', 'a"b', '<script>', 'a'.repeat(129), 'ü', '{}', 'a,b', ''];
    for (const id of replaced) {
      it(`is a new one when it is malformed: ${JSON.stringify(id.slice(0, 40))}`, async () => {
        using wire = await dial(
          testServer.url,
          `GET /api/nothing HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: ${id}\r\n\r\n`,
        );
        const { requestId } = assertError(await wire.response(), 'NOT_FOUND');
        assert.match(requestId, /^[0-9a-f-]{36}$/);
      });
    }

    it('is a new one when two were sent', async () => {
      using wire = await dial(
        testServer.url,
        'GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: a\r\nX-Request-Id: b\r\n\r\n',
      );
      assert.match((await wire.response()).headers['x-request-id'] ?? '', /^[0-9a-f-]{36}$/);
    });

    for (const path of ['/', '/healthz', '/readyz', '/api/config', '/nothing']) {
      it(`is on the response of ${path}`, async () => {
        const response = await request(testServer.url).get(path).set('X-Request-Id', 'mine');
        assert.equal(response.headers['x-request-id'], 'mine');
      });
    }

    it('is on the response to a preflight', async () => {
      const response = await request(testServer.url)
        .options('/api/messages/upload')
        .set('X-Request-Id', 'mine');
      assert.equal(response.headers['x-request-id'], 'mine');
    });
  });

  describe('an error', () => {
    it('speaks Spanish to who asks for it', async () => {
      const response = await request(testServer.url).get('/nothing').set('Accept-Language', 'es-MX,en;q=0.5');
      assert.equal(assertError(response, 'NOT_FOUND').message, 'No hay nada en esta dirección.');
      assert.equal(response.headers['content-language'], 'es');
    });

    it('speaks English otherwise', async () => {
      const response = await request(testServer.url).get('/nothing').set('Accept-Language', 'fi');
      assert.equal(assertError(response, 'NOT_FOUND').message, 'There is nothing at this address.');
      assert.equal(response.headers['content-language'], 'en');
    });

    it('has no body for HEAD, but its length', async () => {
      using wire = await dial(testServer.url, 'HEAD /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n');
      const response = await wire.response({ hasBody: false });
      assert.equal(response.status, 404);
      assert(Number(response.headers['content-length']) > 100);
      wire.send('GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n');
      assertError(await wire.response(), 'NOT_FOUND');
    });

    it('shows nothing of what went wrong inside', async () => {
      const { slots } = testServer.server.context;
      const { take } = slots;
      slots.take = () => {
        throw new Error('at /srv/app/server.ts with pit-12345 of 10.0.0.7');
      };
      const response = await request(testServer.api).post('/messages/upload').set('X-Request-Id', 'inside');
      slots.take = take;
      assertError(response, 'INTERNAL');
      assert.doesNotMatch(response.text, /srv|pit-|10\.0/);
      const line = testServer.log.entries.find((entry) => entry['requestId'] === 'inside');
      assert.equal(line?.['level'], 'error');
      assert.match(JSON.stringify(line?.['err']), /server\.ts/);
      assert.doesNotMatch(JSON.stringify(line), /pit-1/);
    });
  });

  for (const [path, status] of [
    ['/healthz', 200],
    ['/api/config', 200],
    ['/nothing', 404],
    ['/api/%zz', 400],
    [`/${'a'.repeat(9000)}`, 414],
  ] as const) {
    it(`protects browsers by its headers: ${path.slice(0, 20)} ${status}`, async () => {
      const { headers } = await request(testServer.url).get(path).expect(status);
      assert.equal(headers['x-content-type-options'], 'nosniff');
      assert.equal(headers['x-frame-options'], 'SAMEORIGIN');
      assert.match(headers['content-security-policy'] ?? '', /default-src 'self'/);
      assert.equal(headers['strict-transport-security'], undefined);
      assert.equal(headers['x-powered-by'], undefined);
    });
  }

  it('asks browsers to use HTTPS when HSTS_MAX_AGE says for how long, and says nothing of subdomains', async () => {
    await using strict = await createTestServer({ env: { HSTS_MAX_AGE: '31536000' } });
    const { headers } = await request(strict.url).get('/nothing').expect(404);
    assert.equal(headers['strict-transport-security'], 'max-age=31536000');
  });

  const notAllowed: readonly (readonly [string, string, string])[] = [
    ['GET', '/api/messages/upload', 'POST'],
    ['DELETE', '/api/messages/upload', 'POST'],
    ['PUT', '/api/messages/upload/initiate', 'POST'],
    ['GET', '/api/messages/upload/complete', 'POST'],
    ['POST', '/api/messages/upload/content', 'PUT'],
    ['POST', '/api/config', 'GET, HEAD'],
    ['POST', '/healthz', 'GET, HEAD'],
    ['DELETE', '/readyz', 'GET, HEAD'],
  ];
  for (const [method, path, allow] of notAllowed) {
    it(`responds to ${method} ${path} with 405 and Allow: ${allow}`, async () => {
      using wire = await dial(
        testServer.url,
        `${method} ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n`,
      );
      const response = await wire.response();
      assertError(response, 'METHOD_NOT_ALLOWED');
      assert.equal(response.headers['allow'], allow);
      assert(response.error.message.includes(allow));
    });
  }

  for (const path of [
    '/nothing',
    '/api',
    '/api/',
    '/api/messages',
    '/api/messages/upload/x',
    '/API%2fconfig',
  ]) {
    it(`responds to ${path} with 404`, async () => {
      for (const method of ['get', 'post'] as const) {
        assertError(await request(testServer.url)[method](path), 'NOT_FOUND');
      }
    });
  }

  it('responds to HTTP/1.0, with and without a Host, and closes', async () => {
    for (const host of ['', 'Host: localhost\r\n']) {
      using wire = await dial(testServer.url, `GET /api/config HTTP/1.0\r\n${host}\r\n`);
      assert.equal((await wire.response()).status, 200);
      await wire.closed;
    }
  });

  it('sends the page whole, whatever range was asked for', async () => {
    for (const range of ['bytes=0-9', 'bytes=99999999-', 'lines=1']) {
      const response = await request(testServer.url).get('/').set('Range', range).expect(200);
      assert.match(response.text, /<\/html>/);
    }
  });
});
