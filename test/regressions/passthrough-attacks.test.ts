import assert from 'node:assert/strict';
import { connectTo } from '../helpers/raw-client.ts';
import { createTestServer, type TestServer } from '../helpers/test-server.ts';

const RULES = 'GET /conversations/:id,GET /conversations/search,POST /conversations/messages';
const open = (): Promise<TestServer> => createTestServer({ env: { PASSTHROUGH: RULES } });

/** Sends a request head as it is written, and reads the response. */
async function sendHead(
  testServer: TestServer,
  requestLine: string,
  headers: readonly string[] = [],
  body = '',
) {
  using client = await connectTo(testServer);
  await client.send(`${[requestLine, 'Host: localhost', ...headers].join('\r\n')}\r\n\r\n${body}`);
  const response = await client.response();
  return { ...response, received: client.received };
}

describe('A path that is written to be read twice never reaches Leadway', () => {
  for (const target of [
    '/api/conversations/../contacts',
    '/api/conversations/..',
    '/api/conversations/.',
    '/api/conversations/...',
    '/api/./conversations/abc',
    '/api/conversations/abc/..',
    '/api/conversations/abc/../../contacts',
    '/api/conversations/%2e%2e',
    '/api/conversations/%2E%2E/contacts',
    '/api/conversations/.%2e/contacts',
    '/api/conversations/%252e%252e',
    '/api/conversations/..%2fcontacts',
    '/api/conversations/abc%2fmessages',
    '/api/conversations/abc%2Fmessages',
    '/api/conversations/abc%5cmessages',
    '/api/conversations/abc\\messages',
    '/api/conversations\\abc',
    '/api//conversations/abc',
    '/api/conversations//abc',
    '/api/conversations/abc/',
    '/api/conversations/abc//',
    '//api/conversations/abc',
    '/api/conversations/abc;x=1',
    '/api/conversations/..;/contacts',
    '/api/conversations/abc%3bx',
    '/api/conversations;/abc',
    '/api/conversations/abc%00',
    '/api/conversations/abc%0d%0aX:1',
    '/api/conversations/abc%23',
    '/api/conversations/abc#frag',
    '/api/conversations/abc?x=1#frag',
    '/api/conversations/abc%3fx=1',
    '/api/%63onversations/abc',
    '/api/%63%6f%6e%76%65%72%73%61%74%69%6f%6e%73/%61%62%63',
    '/%61pi/conversations/abc',
    '/api/conversations/abc?a=%',
    '/api/conversations/abc?a=%zz',
    '/api/conversations/abc?a=%ff',
    '/api/conversations/abc?a=%00',
    '/api/conversations/abc?a=1;locationId=x',
    `/api/conversations/abc?${'a=1&'.repeat(51)}`,
    'http://evil.example/api/conversations/abc',
    'http://127.0.0.1/api/conversations/abc',
    'https://services.leadconnectorhq.com/api/conversations/abc',
    '//evil.example/api/conversations/abc',
    '/api/@evil.example/conversations/abc',
    '/api/http://evil.example/conversations/abc',
    '*',
    'api/conversations/abc',
  ]) {
    it(target.length > 90 ? `${target.slice(0, 60)}…` : target, async () => {
      await using testServer = await open();
      const { status } = await sendHead(testServer, `GET ${target} HTTP/1.1`);
      assert([400, 404].includes(status), `${status}`);
      assert.equal(testServer.sandbox.requests.length, 0, 'it reached Leadway');
      await testServer.assertClean();
    });
  }

  it('while the plain one does', async () => {
    await using testServer = await open();
    const { status } = await sendHead(testServer, 'GET /api/conversations/sandboxConversation01 HTTP/1.1');
    assert.equal(status, 200);
    assert.equal(testServer.sandbox.requests[0]?.path, '/conversations/sandboxConversation01');
  });

  for (const method of ['TRACE', 'PROPFIND', 'PUT']) {
    it(`nor does ${method}`, async () => {
      await using testServer = await open();
      const { status } = await sendHead(
        testServer,
        `${method} /api/conversations/sandboxConversation01 HTTP/1.1`,
      );
      assert.equal(status, 404);
      assert.equal(testServer.sandbox.requests.length, 0);
    });
  }

  it('nor does a preflight, or another OPTIONS request', async () => {
    await using testServer = await open();
    const options = 'OPTIONS /api/conversations/sandboxConversation01 HTTP/1.1';
    assert.equal((await sendHead(testServer, options)).status, 404);
    const asks = ['Origin: https://page.test', 'Access-Control-Request-Method: GET'];
    assert.equal((await sendHead(testServer, options, asks)).status, 204);
    assert.equal(testServer.sandbox.requests.length, 0);
  });
});

const BODY = '{"type":"SMS","contactId":"sandboxContact01"}';
const EXPECTED = (testServer: TestServer, withBody: boolean): Record<string, string> => ({
  authorization: `Bearer ${testServer.sandbox.token}`,
  version: '2021-07-28',
  accept: 'application/json',
  'accept-encoding': 'identity',
  'user-agent': 'leadway-bff',
  host: new URL(testServer.sandbox.url).host,
  connection: 'keep-alive',
  ...(withBody && { 'content-type': 'application/json', 'content-length': String(BODY.length) }),
});

describe('A header that is written to come along never reaches Leadway', () => {
  for (const [what, headers] of [
    ['Connection: authorization', ['Connection: authorization, version, accept, keep-alive']],
    ['Connection: close', ['Connection: close']],
    ['an upgrade', ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Key: x']],
    [
      'h2c',
      ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA'],
    ],
    ['Proxy-Connection and Keep-Alive', ['Proxy-Connection: keep-alive', 'Keep-Alive: timeout=5']],
    ['TE and Trailer', ['TE: trailers', 'Trailer: authorization']],
    ['Proxy-Authorization', ['Proxy-Authorization: Basic eDp5']],
    ['two Authorization headers', ['Authorization: Bearer one', 'Authorization: Bearer two']],
    ['another case', ['AUTHORIZATION: Bearer x', 'vErSiOn: 1', 'COOKIE: a=b']],
    ['underscores', ['X_Forwarded_For: 1.1.1.1', 'Content_Length: 3', 'authorization_: x']],
    [
      'forwarding headers',
      ['Forwarded: for=1.1.1.1', 'X-Forwarded-Host: evil.example', 'X-Real-IP: 1.1.1.1'],
    ],
    ['method overrides', ['X-HTTP-Method-Override: DELETE', 'X-Method-Override: DELETE']],
    ['target overrides', ['X-Original-URL: /contacts', 'X-Rewrite-URL: /contacts', 'X-Forwarded-Prefix: /x']],
    ['conditions and ranges', ['If-None-Match: *', 'Range: bytes=0-1', 'If-Modified-Since: x']],
    ['Accept-Encoding', ['Accept-Encoding: gzip, br', 'Accept-Language: es']],
    ['Origin and Referer', ['Referer: https://evil.example', 'Sec-Fetch-Mode: cors']],
    ['Expect', ['Expect: 100-continue']],
    ['Expect with tricks', ['Expect: 100-Continue', 'Connection: authorization', 'Cookie: a=b']],
  ] as const) {
    for (const withBody of [false, true]) {
      it(`${what}${withBody ? ', with a body' : ''}`, async () => {
        await using testServer = await open();
        const response = withBody
          ? await sendHead(
              testServer,
              'POST /api/conversations/messages HTTP/1.1',
              [...headers, 'Content-Type: application/json', `Content-Length: ${BODY.length}`],
              BODY,
            )
          : await sendHead(testServer, 'GET /api/conversations/sandboxConversation01 HTTP/1.1', headers);
        assert.equal(response.status, withBody ? 201 : 200);
        assert.deepEqual(testServer.sandbox.requests[0]?.headers, EXPECTED(testServer, withBody));
        assert.equal(testServer.sandbox.requests.length, 1);
        assert.doesNotMatch(response.received, /set-cookie|__cf_bm/i);
        assert(!response.received.includes(testServer.sandbox.token));
        await testServer.assertClean();
      });
    }
  }

  it('a body whose length is given twice is rejected', async () => {
    await using testServer = await open();
    const head = [
      'Content-Type: application/json',
      `Content-Length: ${BODY.length}`,
      'Transfer-Encoding: chunked',
    ];
    const { status } = await sendHead(
      testServer,
      'POST /api/conversations/messages HTTP/1.1',
      head,
      '0\r\n\r\n',
    );
    assert.equal(status, 400);
    assert.equal(testServer.sandbox.requests.length, 0);
  });

  it('a chunked body arrives with an exact length and without its trailers', async () => {
    await using testServer = await open();
    const chunked = `${BODY.length.toString(16)}\r\n${BODY}\r\n0\r\nAuthorization: Bearer evil\r\n\r\n`;
    const { status } = await sendHead(
      testServer,
      'POST /api/conversations/messages HTTP/1.1',
      ['Content-Type: application/json', 'Transfer-Encoding: chunked', 'Trailer: Authorization'],
      chunked,
    );
    assert.equal(status, 201);
    assert.deepEqual(testServer.sandbox.requests[0]?.headers, EXPECTED(testServer, true));
  });
});
