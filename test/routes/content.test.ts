import assert from 'node:assert/strict';
import {
  assertRejected,
  call,
  complete,
  initiated,
  putContent,
  type StepBody,
  seen,
  sha256,
} from '../helpers/direct-steps.ts';
import { fixture, mp4 } from '../helpers/multipart.ts';
import { connectTo } from '../helpers/raw-client.ts';
import { createTestServer, type TestServer } from '../helpers/test-server.ts';

const MIB = 1024 * 1024;
const FILM = { filename: 'film.mp4', contentType: 'video/mp4' };

describe('PUT /messages/upload/content', () => {
  let testServer: TestServer;
  before(async () => {
    testServer = await createTestServer({ env: { TRUST_PROXY: '1' } });
  });
  beforeEach(() => testServer.sandbox.reset());
  afterEach(() => testServer.assertClean());
  after(() => testServer[Symbol.asyncDispose]());

  /** Asserts that storage has no object, by the word of Leadway. */
  async function assertNotStored({ ticket }: StepBody): Promise<void> {
    assert(seen(testServer, 'put').every((put) => !put.complete));
    assertRejected(await complete(testServer, { ticket }), 404, 'NOT_UPLOADED');
  }

  for (const chunked of [false, true]) {
    it(`stores a large file, ${chunked ? 'chunked' : 'with its length'}, and responds 204 with nothing`, async () => {
      const film = mp4(4_000_000);
      const step = await initiated(testServer, FILM);
      const reply = await putContent(testServer, step, film, { chunked });
      assert.equal(reply.status, 204, reply.text);
      assert.equal(reply.text, '');
      const [put] = seen(testServer, 'put');
      assert.equal(put?.files?.[0]?.sha256, sha256(film));
      assert.equal(put?.headers['content-length'], chunked ? undefined : String(film.length));
      assert.equal((await complete(testServer, { ticket: step.ticket })).status, 200);
    });
  }

  it('stores every small size exactly', async () => {
    for (const size of [1, 2, 4_099, 4_100, 4_101, 65_535, 65_536, 65_537]) {
      const step = await initiated(testServer, { fileSize: size });
      const content = Buffer.alloc(size, 'a');
      assert.equal((await putContent(testServer, step, content)).status, 204);
      assert.equal(seen(testServer, 'put').at(-1)?.files?.[0]?.sha256, sha256(content));
    }
  });

  it('sends storage only its own headers', async () => {
    const step = await initiated(testServer);
    const headers = {
      Authorization: 'Bearer callers-own',
      Cookie: 'session=secret',
      'X-Forwarded-For': '127.0.0.1',
      'X-Goog-Acl': 'public-read',
      'X-Custom': 'yes',
      Connection: 'keep-alive, X-Custom',
      Origin: testServer.url,
      'User-Agent': 'somebody',
      'Accept-Language': 'es',
      'X-Request-Id': 'mine',
    };
    assert.equal((await putContent(testServer, step, 'hello', { headers })).status, 204);
    const [put] = seen(testServer, 'put');
    assert.deepEqual(put?.headers, {
      'content-type': 'text/plain',
      'content-length': '5',
      host: new URL(testServer.sandbox.storageOrigin).host,
      connection: 'keep-alive',
    });
    assert.equal(put?.path, step.uploadUrl.slice(testServer.sandbox.storageOrigin.length));
  });

  it('logs the address of the client, not that of the proxy', async () => {
    const headers = { 'X-Forwarded-For': '203.0.113.7' };
    const step = await initiated(testServer, {}, headers);
    await putContent(testServer, step, 'hello', { headers });
    await testServer.assertClean();
    const line = testServer.log.entries.findLast(({ route }) => route === '/api/messages/upload/content');
    assert.equal(line?.['ip'], '203.0.113.7');
    assert.equal(line?.['mode'], 'relay');
    assert.equal(line?.['bytes'], 5);
  });

  it('lets the body come to a client that asks first', async () => {
    const step = await initiated(testServer);
    using client = await connectTo(testServer);
    await client.send(
      [
        'PUT /api/messages/upload/content HTTP/1.1',
        'Host: localhost',
        `Upload-Ticket: ${step.ticket}`,
        'Content-Type: text/plain',
        'Content-Length: 5',
        'Cookie: session=secret',
        'Expect: 100-continue',
        '\r\n',
      ].join('\r\n'),
    );
    assert(await client.until((received) => received.includes('HTTP/1.1 100 Continue\r\n\r\n')));
    await client.send('hello');
    assert.equal((await client.response()).status, 204);
    assert.equal(seen(testServer, 'put')[0]?.headers['expect'], undefined);
    assert.equal(seen(testServer, 'put')[0]?.headers['cookie'], undefined);
  });

  it('rejects a client that asks first before the body', async () => {
    using client = await connectTo(testServer);
    const head = 'PUT /api/messages/upload/content HTTP/1.1\r\nHost: localhost\r\nUpload-Ticket: x\r\n';
    await client.send(`${head}Content-Length: 5\r\nExpect: 100-continue\r\n\r\n`);
    assert.equal((await client.response()).body.code, 'TICKET_INVALID');
    assert(!client.received.includes('100 Continue'));
  });

  describe('by its ticket', () => {
    it('asks for one', async () => {
      const url = `${testServer.api}/messages/upload/content`;
      for (const headers of [{}, { 'Upload-Ticket': '' }]) {
        const reply = await call(url, { method: 'PUT', headers, body: 'x' });
        assert.equal(assertRejected(reply, 400, 'MISSING_FIELD')['field'], 'Upload-Ticket');
      }
    });

    it('rejects what it has not sealed', async () => {
      const step = await initiated(testServer);
      const { ticket } = step;
      const bad = ['x', '....', 'a.b.c.d.e', ticket.slice(0, -1), `${ticket}A`, `${ticket}=`, `${ticket}.`];
      for (const changed of [...bad, ticket.toUpperCase(), 'x'.repeat(9_000)]) {
        const reply = await putContent(testServer, { ...step, ticket: changed }, 'hello');
        assertRejected(reply, 403, 'TICKET_INVALID');
      }
      await assertNotStored(step);
    });

    it("rejects another client's", async () => {
      const step = await initiated(testServer, {}, { 'X-Forwarded-For': '203.0.113.7' });
      for (const address of ['203.0.113.8', '::1']) {
        const headers = { 'X-Forwarded-For': address };
        assertRejected(await putContent(testServer, step, 'hello', { headers }), 403, 'TICKET_INVALID');
      }
      const own = await putContent(testServer, step, 'hello', {
        headers: { 'X-Forwarded-For': '203.0.113.7' },
      });
      assert.equal(own.status, 204);
    });

    it('rejects one whose signed URL has ended, which complete still takes', async () => {
      await using own = await createTestServer({ sandbox: { urlTtlMs: 0 } });
      const step = await initiated(own);
      const reply = await putContent(own, step, 'hello');
      assertRejected(reply, 410, 'TICKET_EXPIRED');
      assert.equal(seen(own, 'put').length, 0);
      assertRejected(await complete(own, { ticket: step.ticket }), 404, 'NOT_UPLOADED');
      await own.assertClean();
    });
  });

  describe('rejects before the body', () => {
    it('a coding', async () => {
      const step = await initiated(testServer);
      const headers = { 'Content-Encoding': 'gzip' };
      assertRejected(await putContent(testServer, step, 'hello', { headers }), 415, 'UNSUPPORTED_ENCODING');
      await assertNotStored(step);
    });

    it('another type than that of the ticket', async () => {
      const step = await initiated(testServer, FILM);
      for (const type of ['video/mpeg', 'text/plain', 'video/mp4x', 'application/x-www-form-urlencoded']) {
        const reply = await putContent(testServer, step, mp4(5_000), { headers: { 'Content-Type': type } });
        const details = assertRejected(reply, 415, 'TYPE_MISMATCH');
        assert.deepEqual(details, { extension: 'mp4', declared: type, detected: 'video/mp4' });
      }
      await assertNotStored(step);
    });

    it('another length than was declared, none, and more than the limit', async () => {
      const declared = await initiated(testServer, { fileSize: 5 });
      const details = assertRejected(await putContent(testServer, declared, 'hello!'), 400, 'SIZE_MISMATCH');
      assert.deepEqual(details, { declared: 5, received: 6 });
      assertRejected(await putContent(testServer, declared, ''), 400, 'EMPTY_FILE');
      const open = await initiated(testServer);
      const tooLarge = await putContent(testServer, open, Buffer.alloc(5 * MIB + 1, 'a'));
      assert.deepEqual(assertRejected(tooLarge, 413, 'FILE_TOO_LARGE'), { limit: 5 * MIB, channel: 'SMS' });
      await assertNotStored(declared);
      await assertNotStored(open);
    });
  });

  for (const chunked of [false, true]) {
    it(`takes a file of exactly the limit, ${chunked ? 'chunked' : 'with its length'}, and no larger one`, async () => {
      const film = mp4(5 * MIB);
      const step = await initiated(testServer, FILM);
      assert.equal(step.maxFileSize, film.length);
      assert.equal((await putContent(testServer, step, film, { chunked })).status, 204);
      const larger = await initiated(testServer, FILM);
      assertRejected(
        await putContent(testServer, larger, mp4(5 * MIB + 1), { chunked }),
        413,
        'FILE_TOO_LARGE',
      );
    });
  }

  it('holds a file to the limit of its channel if the ticket of Leadway allows more', async () => {
    const { tickets } = testServer.server.context;
    for (const chunked of [false, true]) {
      const step = await initiated(testServer, FILM);
      const { authenticator } = testServer.server.context;
      const addressKey = '127.0.0.1';
      const { id } = await authenticator.authenticate({ addressKey } as Parameters<
        typeof authenticator.authenticate
      >[0]);
      const opened = await tickets.open(step.ticket, id, 'content');
      const ticket = await tickets.seal({ ...opened, maxFileSize: 100 * MIB });
      const reply = await putContent(testServer, { ...step, ticket }, mp4(5 * MIB + 1), { chunked });
      assert.deepEqual(assertRejected(reply, 413, 'FILE_TOO_LARGE'), { limit: 5 * MIB, channel: 'SMS' });
      await assertNotStored(step);
    }
  });

  it('takes the type of the ticket where none is sent', async () => {
    const { ticket } = await initiated(testServer);
    const url = `${testServer.api}/messages/upload/content`;
    const reply = await call(url, { method: 'PUT', headers: { 'Upload-Ticket': ticket }, body: 'hello' });
    assert.equal(reply.status, 204, reply.text);
    assert.equal(seen(testServer, 'put')[0]?.headers['content-type'], 'text/plain');
  });

  it('takes the type with parameters and in capitals', async () => {
    const step = await initiated(testServer);
    const headers = { 'Content-Type': 'Text/Plain; charset=UTF-8' };
    assert.equal((await putContent(testServer, step, 'hello', { headers })).status, 204);
    assert.equal(seen(testServer, 'put')[0]?.headers['content-type'], 'text/plain');
  });

  describe('rejects what it finds in the body', () => {
    const wrong: readonly (readonly [string, Buffer, object, number, string])[] = [
      ['a head of another type', fixture('picture.png'), FILM, 415, 'TYPE_MISMATCH'],
      [
        'an end of another type',
        Buffer.concat([Buffer.alloc(200_000, 'a'), Buffer.alloc(10)]),
        {},
        415,
        'TYPE_MISMATCH',
      ],
      [
        'a broken structure',
        fixture('truncated.zip'),
        { filename: 'a.zip', contentType: 'application/zip' },
        415,
        'TYPE_MISMATCH',
      ],
      ['nothing', Buffer.alloc(0), {}, 400, 'EMPTY_FILE'],
      ['a byte less than declared', Buffer.from('four'), { fileSize: 5 }, 400, 'SIZE_MISMATCH'],
      ['a byte more than declared', Buffer.from('sixsix'), { fileSize: 5 }, 400, 'SIZE_MISMATCH'],
      ['less of a large file', mp4(1_000_000), { ...FILM, fileSize: 2_000_000 }, 400, 'SIZE_MISMATCH'],
      ['more of a large file', mp4(2_000_000), { ...FILM, fileSize: 1_000_000 }, 400, 'SIZE_MISMATCH'],
      ['more than the limit', mp4(5 * MIB + 1), FILM, 413, 'FILE_TOO_LARGE'],
    ];
    for (const [what, content, claim, status, code] of wrong) {
      it(`${what}, and storage gets no object`, async () => {
        const step = await initiated(testServer, { ...claim });
        assertRejected(await putContent(testServer, step, content, { chunked: true }), status, code);
        await assertNotStored(step);
      });
    }

    it('an end of another type of announced length, and storage gets no object', async () => {
      const step = await initiated(testServer);
      using client = await connectTo(testServer);
      const head = [
        'PUT /api/messages/upload/content HTTP/1.1',
        'Host: localhost',
        `Upload-Ticket: ${step.ticket}`,
        `Content-Type: ${step.contentType}`,
        'Content-Length: 200010',
      ];
      await client.send(`${head.join('\r\n')}\r\n\r\n`);
      await client.send(Buffer.alloc(200_000, 'a'));
      await testServer.sandbox.waitFor(
        () => seen(testServer, 'put')[0]?.headers['content-length'] === '200010',
      );
      await client.send(Buffer.alloc(10));
      const { status, body } = await client.response();
      assert.deepEqual([status, body.code], [415, 'TYPE_MISMATCH']);
      await assertNotStored(step);
    });

    it('and says so in Spanish when asked', async () => {
      const step = await initiated(testServer);
      const content = Buffer.concat([Buffer.alloc(200_000, 'a'), Buffer.alloc(10)]);
      const headers = { 'Accept-Language': 'es' };
      const { body, headers: responded } = await putContent(testServer, step, content, { headers });
      assert.match(body.message ?? '', /^El archivo está dañado o en realidad no es un /);
      assert.equal(responded['content-language'], 'es');
    });
  });

  it('responds to other methods with those that it has', async () => {
    const reply = await call(`${testServer.api}/messages/upload/content`, { method: 'POST' });
    assertRejected(reply, 405, 'METHOD_NOT_ALLOWED');
    assert.equal(reply.headers.allow, 'PUT');
  });
});
