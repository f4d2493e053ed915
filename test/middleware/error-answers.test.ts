import assert from 'node:assert/strict';
import request from 'supertest';
import { createHouse, type House } from '../helpers/house.ts';
import { assertError } from '../server/errors/assert-error.ts';
import { dial } from '../server/http/wire.ts';

describe('what every answer carries', () => {
  let house: House;
  before(async () => {
    house = await createHouse({ page: true });
  });
  afterEach(() => house.assertTidy());
  after(() => house[Symbol.asyncDispose]());

  describe('the request id', () => {
    const taken = ['abc', 'A-1_b.c:d=e+f/g', 'a'.repeat(128), '0af7651916cd43dd8448eb211c80319c'];
    for (const id of taken) {
      it(`is the proxy’s when it is well-formed: ${id.slice(0, 40)}`, async () => {
        const answer = await request(house.api).get('/config').set('X-Request-Id', id).expect(200);
        assert.equal(answer.headers['x-request-id'], id);
      });
    }

    const replaced = ['a b', 'a"b', '<script>', 'a'.repeat(129), 'ü', '{}', 'a,b', ''];
    for (const id of replaced) {
      it(`is a new one when it is malformed: ${JSON.stringify(id.slice(0, 40))}`, async () => {
        using wire = await dial(
          house.url,
          `GET /api/nothing HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: ${id}\r\n\r\n`,
        );
        const { requestId } = assertError(await wire.answer(), 'NOT_FOUND');
        assert.match(requestId, /^[0-9a-f-]{36}$/);
      });
    }

    it('is a new one when two were sent', async () => {
      using wire = await dial(
        house.url,
        'GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: a\r\nX-Request-Id: b\r\n\r\n',
      );
      assert.match((await wire.answer()).headers['x-request-id'] ?? '', /^[0-9a-f-]{36}$/);
    });

    for (const path of ['/', '/healthz', '/readyz', '/api/config', '/nothing']) {
      it(`is on the answer of ${path}`, async () => {
        const answer = await request(house.url).get(path).set('X-Request-Id', 'mine');
        assert.equal(answer.headers['x-request-id'], 'mine');
      });
    }

    it('is on the answer to a preflight', async () => {
      const answer = await request(house.url).options('/api/messages/upload').set('X-Request-Id', 'mine');
      assert.equal(answer.headers['x-request-id'], 'mine');
    });
  });

  describe('an error', () => {
    it('speaks Spanish to who asks for it', async () => {
      const answer = await request(house.url).get('/nothing').set('Accept-Language', 'es-MX,en;q=0.5');
      assert.equal(assertError(answer, 'NOT_FOUND').message, 'No hay nada en esta dirección.');
      assert.equal(answer.headers['content-language'], 'es');
    });

    it('speaks English otherwise', async () => {
      const answer = await request(house.url).get('/nothing').set('Accept-Language', 'fi');
      assert.equal(assertError(answer, 'NOT_FOUND').message, 'There is nothing at this address.');
      assert.equal(answer.headers['content-language'], 'en');
    });

    it('has no body for HEAD, but its length', async () => {
      using wire = await dial(house.url, 'HEAD /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n');
      const answer = await wire.answer({ hasBody: false });
      assert.equal(answer.status, 404);
      assert(Number(answer.headers['content-length']) > 100);
      wire.send('GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n');
      assertError(await wire.answer(), 'NOT_FOUND');
    });

    it('shows nothing of what went wrong inside', async () => {
      const { slots } = house.server.context;
      const { take } = slots;
      slots.take = () => {
        throw new Error('at /srv/app/server.ts with pit-12345 of 10.0.0.7');
      };
      const answer = await request(house.api).post('/messages/upload').set('X-Request-Id', 'inside');
      slots.take = take;
      assertError(answer, 'INTERNAL');
      assert.doesNotMatch(answer.text, /srv|pit-|10\.0/);
      const line = house.log.entries.find((entry) => entry['requestId'] === 'inside');
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
      const { headers } = await request(house.url).get(path).expect(status);
      assert.equal(headers['x-content-type-options'], 'nosniff');
      assert.equal(headers['x-frame-options'], 'SAMEORIGIN');
      assert.match(headers['content-security-policy'] ?? '', /default-src 'self'/);
      assert.equal(headers['strict-transport-security'], undefined);
      assert.equal(headers['x-powered-by'], undefined);
    });
  }

  it('asks browsers to use HTTPS when HSTS_MAX_AGE says for how long, and says nothing of subdomains', async () => {
    await using strict = await createHouse({ env: { HSTS_MAX_AGE: '31536000' } });
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
    it(`answers ${method} ${path} with 405 and Allow: ${allow}`, async () => {
      using wire = await dial(
        house.url,
        `${method} ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n`,
      );
      const answer = await wire.answer();
      assertError(answer, 'METHOD_NOT_ALLOWED');
      assert.equal(answer.headers['allow'], allow);
      assert(answer.error.message.includes(allow));
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
    it(`answers ${path} with 404`, async () => {
      for (const method of ['get', 'post'] as const) {
        assertError(await request(house.url)[method](path), 'NOT_FOUND');
      }
    });
  }

  it('answers HTTP/1.0, with and without a Host, and closes', async () => {
    for (const host of ['', 'Host: localhost\r\n']) {
      using wire = await dial(house.url, `GET /api/config HTTP/1.0\r\n${host}\r\n`);
      assert.equal((await wire.answer()).status, 200);
      await wire.closed;
    }
  });

  it('sends the page whole, whatever range was asked for', async () => {
    for (const range of ['bytes=0-9', 'bytes=99999999-', 'lines=1']) {
      const response = await request(house.url).get('/').set('Range', range).expect(200);
      assert.match(response.text, /<\/html>/);
    }
  });
});
