import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { ErrorCode } from '../../../server/errors/codes.ts';
import { encodeForm, FORM_TYPE, mp4 } from '../../helpers/multipart.ts';
import { createTestServer, settled, type TestServer } from '../../helpers/test-server.ts';
import { assertError } from '../errors/assert-error.ts';
import { dial } from './wire.ts';

const UPLOAD = 'POST /api/messages/upload HTTP/1.1\r\nHost: localhost\r\n';

/** Requests that are rejected before or by the strict checks, and what they are told. */
const REJECTED: readonly (readonly [what: string, bytes: string, code: ErrorCode])[] = [
  ['no HTTP at all', 'hello\r\n\r\n', 'BAD_REQUEST'],
  ['TLS to a plain port', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 'BAD_REQUEST'],
  ['an unknown method', 'FETCH / HTTP/1.1\r\nHost: localhost\r\n\r\n', 'BAD_REQUEST'],
  ['another protocol version', 'GET / HTTP/7.0\r\nHost: localhost\r\n\r\n', 'BAD_REQUEST'],
  ['a header without a colon', 'GET / HTTP/1.1\r\nHost: localhost\r\nnonsense\r\n\r\n', 'BAD_REQUEST'],
  ['a space before the colon', 'GET / HTTP/1.1\r\nHost : test\r\n\r\n', 'BAD_REQUEST'],
  ['a folded header', 'GET / HTTP/1.1\r\nHost: localhost\r\nA: b\r\n c\r\nX: \0\r\n\r\n', 'BAD_REQUEST'],
  ['a control character in a header', 'GET / HTTP/1.1\r\nHost: localhost\r\nA: \x01\r\n\r\n', 'BAD_REQUEST'],
  ['a bare CR in a header', 'GET / HTTP/1.1\r\nHost: localhost\r\nA: b\rc\r\n\r\n', 'BAD_REQUEST'],
  ['a length that is not a number', `${UPLOAD}Content-Length: 1x\r\n\r\n`, 'BAD_REQUEST'],
  ['a negative length', `${UPLOAD}Content-Length: -1\r\n\r\n`, 'BAD_REQUEST'],
  ['two lengths', `${UPLOAD}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab`, 'BAD_REQUEST'],
  [
    'a length and a coding',
    `${UPLOAD}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    'BAD_REQUEST',
  ],
  [
    'a coding and a length',
    `${UPLOAD}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n`,
    'BAD_REQUEST',
  ],
  ['gzip before chunked', `${UPLOAD}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`, 'BAD_REQUEST'],
  ['chunked before gzip', `${UPLOAD}Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n`, 'BAD_REQUEST'],
  [
    'two codings',
    `${UPLOAD}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    'BAD_REQUEST',
  ],
  ['a coding that hides', `${UPLOAD}Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n`, 'BAD_REQUEST'],
  [
    'a coding in HTTP/1.0',
    'POST /api/messages/upload HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'BAD_REQUEST',
  ],
  ['no Host', 'GET /api/config HTTP/1.1\r\n\r\n', 'BAD_REQUEST'],
  ['two Hosts', 'GET /api/config HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n', 'BAD_REQUEST'],
  ['the same Host twice', 'GET /api/config HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n', 'BAD_REQUEST'],
  [
    'an absolute target',
    'GET http://evil.example/api/config HTTP/1.1\r\nHost: localhost\r\n\r\n',
    'BAD_REQUEST',
  ],
  ['the asterisk target', 'OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n', 'BAD_REQUEST'],
  ['a path that cannot be decoded', 'GET /api/%zz HTTP/1.1\r\nHost: localhost\r\n\r\n', 'BAD_REQUEST'],
  ['a path that is not UTF-8', 'GET /api/%ff HTTP/1.1\r\nHost: localhost\r\n\r\n', 'BAD_REQUEST'],
  [
    'an address of 9 KiB',
    `GET /api/config?${'a'.repeat(9 * 1024)} HTTP/1.1\r\nHost: localhost\r\n\r\n`,
    'URI_TOO_LONG',
  ],
  [
    'an address of 100 KiB',
    `GET /${'a'.repeat(100 * 1024)} HTTP/1.1\r\nHost: localhost\r\n\r\n`,
    'URI_TOO_LONG',
  ],
  [
    'a header of 20 KiB',
    `GET /api/config HTTP/1.1\r\nHost: localhost\r\nCookie: ${'a'.repeat(20 * 1024)}\r\n\r\n`,
    'HEADERS_TOO_LARGE',
  ],
  [
    'headers of 500 KiB',
    `GET / HTTP/1.1\r\nHost: localhost\r\n${'A: b\r\n'.repeat(80_000)}\r\n`,
    'HEADERS_TOO_LARGE',
  ],
  [
    'two types of content',
    `${UPLOAD}Content-Type: multipart/form-data; boundary=a\r\ncontent-type: multipart/form-data; boundary=b\r\nContent-Length: 5\r\n\r\n--a--`,
    'BAD_REQUEST',
  ],
  ['a strange expectation', `${UPLOAD}Expect: tea\r\nContent-Length: 5\r\n\r\n`, 'EXPECTATION_FAILED'],
  [
    'one expectation too many',
    `${UPLOAD}Expect: 100-continue, tea\r\nContent-Length: 5\r\n\r\n`,
    'EXPECTATION_FAILED',
  ],
  ['CONNECT', 'CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example\r\n\r\n', 'METHOD_NOT_ALLOWED'],
  [
    'TRACE of an endpoint',
    'TRACE /api/messages/upload HTTP/1.1\r\nHost: localhost\r\n\r\n',
    'METHOD_NOT_ALLOWED',
  ],
  ['TRACE of nothing', 'TRACE / HTTP/1.1\r\nHost: localhost\r\nCookie: secret\r\n\r\n', 'NOT_FOUND'],
  ['PROPFIND', 'PROPFIND /api/messages/upload HTTP/1.1\r\nHost: localhost\r\n\r\n', 'METHOD_NOT_ALLOWED'],
];

describe('requests that no client library sends', () => {
  let testServer: TestServer;
  before(async () => {
    testServer = await createTestServer();
  });
  afterEach(() => testServer.assertClean());
  after(() => testServer[Symbol.asyncDispose]());

  for (const [what, bytes, code] of REJECTED) {
    it(`responds to ${what} with ${code} in the shape of every error`, async () => {
      using wire = await dial(testServer.url, bytes);
      const response = await wire.response();
      assertError(response, code);
      assert(!response.body.includes('secret'));
    });
  }

  it('says in Allow what an address does response, to CONNECT too', async () => {
    using trace = await dial(
      testServer.url,
      'TRACE /api/messages/upload HTTP/1.1\r\nHost: localhost\r\n\r\n',
    );
    assert.equal((await trace.response()).headers['allow'], 'POST');
    using tunnel = await dial(
      testServer.url,
      'CONNECT a:1 HTTP/1.1\r\nHost: a\r\nX-Request-Id: tunnel-1\r\nAccept-Language: es\r\n\r\n',
    );
    const response = await tunnel.response();
    assert.match(response.headers['allow'] ?? '', /POST/);
    assert.equal(response.headers['x-request-id'], 'tunnel-1');
    assert.equal(response.headers['content-language'], 'es');
    await tunnel.closed;
  });

  it('loses its connection though it never closes it', async () => {
    const { port } = new URL(testServer.url);
    const socket = connect({ port: Number(port), host: '127.0.0.1', allowHalfOpen: true });
    socket.on('error', () => {}).write('garbage\r\n\r\n');
    await once(socket.resume(), 'end');
    await settled(() => testServer.server.openConnections() === 0, 'the connection is gone', 5_000);
    socket.destroy();
  });

  it('lets no request follow a body whose end is in dispute', async () => {
    using wire = await dial(
      testServer.url,
      `${UPLOAD}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\nGET /api/config HTTP/1.1\r\nHost: localhost\r\n\r\n`,
    );
    assertError(await wire.response(), 'BAD_REQUEST');
    await wire.closed;
    assert.equal(wire.rest, '');
  });

  it('rejects a bad chunk in the middle of an upload and cuts the request to Leadway', async () => {
    const begin = encodeForm([
      { name: 'conversationId', content: testServer.sandbox.conversationId },
      { name: 'contactId', content: testServer.sandbox.contactId },
      { name: 'fileAttachment', filename: 'film.mp4', content: mp4(400_000) },
    ]).subarray(0, -100);
    using wire = await dial(
      testServer.url,
      `${UPLOAD}Content-Type: ${FORM_TYPE}\r\nTransfer-Encoding: chunked\r\nX-Request-Id: bad-chunk\r\n\r\n`,
    );
    wire.send(`${begin.length.toString(16)}\r\n`);
    wire.send(begin);
    wire.send('\r\n');
    await testServer.sandbox.waitFor((requests) => requests.length === 1);
    wire.send('xyz\r\n');
    const response = await wire.response();
    assert.equal(assertError(response, 'BAD_REQUEST').requestId, 'bad-chunk');
    await wire.closed;
    await testServer.sandbox.waitFor(([request]) => request?.aborted === true);
    await settled(
      () =>
        testServer.log.entries.some((entry) => entry['requestId'] === 'bad-chunk' && entry['status'] === 400),
      'the log has the rejection',
    );
  });

  it('heeds id, language and origin of a request that the parser rejects, so that its page can show why', async () => {
    await using other = await createTestServer({ env: { ALLOWED_ORIGINS: 'https://app.example.com' } });
    const head = 'Host: localhost\r\nX-Request-Id: odd-1 \r\norigin:https://app.example.com\r\n';
    const language = 'Accept-Language: es-MX\r\n';
    for (const [first, code] of [
      [`GET / HTTP/1.1\r\n${head}${language}Cookie: ${'a'.repeat(20_000)}\r\n\r\n`, 'HEADERS_TOO_LARGE'],
      [`GET / HTTP/1.1\r\nCookie: ${'a'.repeat(20_000)}\r\n${head}${language}\r\n`, 'HEADERS_TOO_LARGE'],
      [`GET / HTTP/1.1\r\n${head}${language}nonsense\r\n\r\n`, 'BAD_REQUEST'],
    ] as const) {
      using wire = await dial(other.url, first);
      const response = await wire.response();
      assert.equal(assertError(response, code).requestId, 'odd-1');
      assert.equal(response.headers['content-language'], 'es');
      assert.equal(response.headers['access-control-allow-origin'], 'https://app.example.com');
      assert.match(response.headers['access-control-expose-headers'] ?? '', /X-Request-Id/);
    }
    // What is written in an earlier request, or from another origin, does not count.
    using wire = await dial(
      other.url,
      `GET /healthz HTTP/1.1\r\n${head}\r\nGET / HTTP/1.1\r\nOrigin: https://evil.example\r\nnonsense\r\n\r\n`,
    );
    assert.equal((await wire.response()).headers['x-request-id'], 'odd-1');
    const response = await wire.response();
    assert.notEqual(assertError(response, 'BAD_REQUEST').requestId, 'odd-1');
    assert.equal(response.headers['access-control-allow-origin'], undefined);
  });

  it('logs requests that could not be read, without their bytes', async () => {
    using wire = await dial(testServer.url, 'GET /?token=hidden-in-garbage HTTP/9.9\r\n\r\n');
    const { requestId } = assertError(await wire.response(), 'BAD_REQUEST');
    const line = testServer.log.entries.find((entry) => entry['requestId'] === requestId);
    assert.equal(line?.['status'], 400);
    assert.equal(line?.['code'], 'BAD_REQUEST');
    assert.match(String(line?.['reason']), /^HPE_/);
    assert(!testServer.log.lines.some((text) => text.includes('hidden-in-garbage')));
  });
});
