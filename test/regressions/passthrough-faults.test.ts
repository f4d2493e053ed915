import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connectTo } from '../helpers/raw-client.ts';
import { createTestServer, settled, type TestServer } from '../helpers/test-server.ts';

const PASSTHROUGH = 'GET /conversations/:id,POST /conversations/messages';
const PATH = '/conversations/sandboxConversation01';

async function ask(testServer: TestServer) {
  const response = await fetch(`${testServer.api}${PATH}`, { redirect: 'manual' });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text };
}

const errorOf = (text: string): Record<string, unknown> => JSON.parse(text) as Record<string, unknown>;

/** An upstream that does what the sandbox never would. */
async function withUpstream(handle: RequestListener, env: Record<string, string> = {}) {
  const server = createServer(handle).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const testServer = await createTestServer({ env: { PASSTHROUGH, LEADWAY_BASE_URL: url, ...env } });
  return {
    testServer,
    server,
    async [Symbol.asyncDispose]() {
      await testServer[Symbol.asyncDispose]();
      server.closeAllConnections();
      server.close();
    },
  };
}

describe('When Leadway fails a passed-through call', () => {
  for (const [fault, status, code] of [
    ['never-answers', 504, 'UPSTREAM_TIMEOUT'],
    ['status-500', 502, 'UPSTREAM_ERROR'],
    ['status-503', 502, 'UPSTREAM_ERROR'],
    ['status-301', 502, 'UPSTREAM_ERROR'],
    ['status-302', 502, 'UPSTREAM_ERROR'],
    ['status-307', 502, 'UPSTREAM_ERROR'],
    ['status-308', 502, 'UPSTREAM_ERROR'],
    ['status-304', 502, 'UPSTREAM_ERROR'],
    ['status-401', 502, 'UPSTREAM_AUTH'],
    ['status-403', 502, 'UPSTREAM_AUTH'],
    ['status-402', 502, 'UPSTREAM_ERROR'],
    ['status-404', 404, 'UPSTREAM_REJECTED'],
    ['status-422', 422, 'UPSTREAM_REJECTED'],
    ['429', 429, 'UPSTREAM_REJECTED'],
    ['429-retry-after', 429, 'UPSTREAM_REJECTED'],
    ['leaky', 400, 'UPSTREAM_REJECTED'],
    ['html', 502, 'UPSTREAM_ERROR'],
    ['bad-token', 502, 'UPSTREAM_AUTH'],
    ['reset-mid-upload', 502, 'UPSTREAM_ABORTED'],
    ['refuse', 502, 'UPSTREAM_UNREACHABLE'],
  ] as const) {
    it(`${fault} becomes ${status} ${code} in our shape`, async () => {
      await using testServer = await createTestServer({ env: { PASSTHROUGH, UPSTREAM_TIMEOUT_MS: '150' } });
      testServer.sandbox.fault = fault;
      await testServer.sandbox.ready();
      const response = await ask(testServer);
      const error = errorOf(response.text);
      assert.deepEqual({ status: response.status, code: error['code'] }, { status, code });
      assert.deepEqual(
        ['status', 'message', 'requestId', 'retryable'].filter((name) => error[name] === undefined),
        [],
      );
      assert.equal(response.headers.get('location'), null);
      assert.equal(response.headers.get('set-cookie'), null);
      assert.doesNotMatch(response.text, /10\.23\.45|0badc0de|elsewhere|127\.0\.0\.1|sandbox-token/);
      assert(testServer.sandbox.requests.length <= 1, 'it was sent once');
      if (status === 429) assert(Number(response.headers.get('retry-after')) >= 1);
      testServer.sandbox.fault = null;
      await testServer.sandbox.ready();
      await testServer.assertClean();
    });
  }

  it('a response that is cut is cut for the client too, and never looks whole', async () => {
    await using testServer = await createTestServer({ sandbox: { fault: 'cut' }, env: { PASSTHROUGH } });
    await assert.rejects(ask(testServer));
    await testServer.assertClean();
  });

  for (const [what, expected, handle] of [
    [
      'cut',
      502,
      (_req: unknown, res: ServerResponse) => {
        res.writeHead(500, { 'Content-Length': '100' }).write('{"message"', () => res.destroy());
      },
    ],
    [
      'huge',
      400,
      (_req: unknown, res: ServerResponse) => {
        res.writeHead(400).end('x'.repeat(200 * 1024));
      },
    ],
    [
      'endless',
      504,
      (_req: unknown, res: ServerResponse) => {
        res.writeHead(500).write('{');
      },
    ],
  ] as const) {
    it(`an error whose body is ${what} is still an error in our shape`, async () => {
      await using upstream = await withUpstream(handle, { UPSTREAM_TIMEOUT_MS: '150' });
      const response = await ask(upstream.testServer);
      assert.equal(response.status, expected);
      assert.equal(errorOf(response.text)['status'], response.status);
    });
  }

  for (const type of [
    'text/html',
    'application/xhtml+xml',
    'image/svg+xml',
    'text/javascript',
    'TEXT/HTML; x',
  ]) {
    it(`a page in its place never reaches a browser on our origin: ${type}`, async () => {
      await using upstream = await withUpstream((_req, res) => {
        res.setHeader('Content-Type', type).end('<script>alert(1)</script>');
      });
      const response = await ask(upstream.testServer);
      assert.equal(errorOf(response.text)['code'], 'UPSTREAM_ERROR');
      assert.doesNotMatch(response.text, /script/);
    });
  }

  it('its own headers stay behind, hop-by-hop ones and cookies first', async () => {
    await using upstream = await withUpstream((_req, res) => {
      res.setHeader('Set-Cookie', ['a=1', 'b=2']);
      for (const name of [
        'Server',
        'X-Powered-By',
        'Access-Control-Allow-Origin',
        'Clear-Site-Data',
        'Link',
      ]) {
        res.setHeader(name, '*');
      }
      res.setHeader('Strict-Transport-Security', 'max-age=0');
      res.setHeader('Connection', 'close, content-type');
      res.setHeader('Content-Type', 'application/json').end('{}');
    });
    const { headers, status } = await ask(upstream.testServer);
    assert.equal(status, 200);
    for (const name of [
      'set-cookie',
      'server',
      'x-powered-by',
      'access-control-allow-origin',
      'clear-site-data',
      'link',
    ]) {
      assert.equal(headers.get(name), null, name);
    }
    assert.notEqual(headers.get('strict-transport-security'), 'max-age=0');
    assert.match(headers.get('content-security-policy') ?? '', /sandbox/);
    assert.equal(headers.get('x-content-type-options'), 'nosniff');
  });
});

describe('The response of a passed-through call', () => {
  it('streams: its beginning is there before its end was sent', async () => {
    const finish = Promise.withResolvers<void>();
    await using upstream = await withUpstream(async (_req, res) => {
      res.setHeader('Content-Type', 'application/json').write('{"first":');
      await finish.promise;
      res.end('1}');
    });
    using client = await connectTo(upstream.testServer);
    await client.send(`GET /api${PATH} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    assert(await client.until((received) => received.includes('{"first":')));
    finish.resolve();
    assert(await client.until((received) => received.includes('1}')));
  });

  it('may be large and read slowly: waiting for the client is not a stall of Leadway, and fills no memory', async () => {
    const bytes = 64 * 1024 * 1024;
    const piece = Buffer.alloc(64 * 1024, 0x20);
    let sent = 0;
    await using upstream = await withUpstream(
      (req, res) => {
        if (req.method === 'POST') return; // a call that stalls
        res.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': bytes });
        const push = (): void => {
          while (sent < bytes) {
            sent += piece.length;
            if (!res.write(piece)) return void res.once('drain', push);
          }
          res.end();
        };
        push();
      },
      { UPSTREAM_TIMEOUT_MS: '400' },
    );
    using client = await connectTo(upstream.testServer);
    client.socket.pause();
    client.socket.removeAllListeners('data');
    await client.send(`GET /api${PATH} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    // Until nothing moves any more while several stalled calls time out: the client has taken nothing at all.
    let last = -1;
    for (let calm = 0; calm < 3; ) {
      calm = sent === last ? calm + 1 : 0;
      last = sent;
      const stalled = await fetch(`${upstream.testServer.api}/conversations/messages`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: '{}',
      });
      assert.equal(stalled.status, 504);
    }
    assert(sent > 0 && sent < bytes / 2, `Leadway was held back after ${sent} bytes`);
    let received = 0;
    client.socket.on('data', (chunk: Buffer) => {
      received += chunk.length;
    });
    client.socket.resume();
    while (received < bytes && !client.socket.destroyed) await once(client.socket, 'data');
    assert(received >= bytes, `the client got ${received} bytes`);
  });

  it('ends when the client takes nothing for too long', async () => {
    const gone = Promise.withResolvers<void>();
    await using upstream = await withUpstream(
      (_req, res) => {
        res.setHeader('Content-Type', 'application/json');
        res.once('close', () => gone.resolve());
        const push = (): void => {
          while (res.write(Buffer.alloc(64 * 1024, 0x20)));
          res.once('drain', push);
        };
        push();
      },
      { UPLOAD_IDLE_TIMEOUT_MS: '150' },
    );
    using client = await connectTo(upstream.testServer);
    client.socket.pause();
    client.socket.removeAllListeners('data');
    await client.send(`GET /api${PATH} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    await gone.promise;
    await settled(() => upstream.testServer.server.context.activity.requests === 0, 'nothing is in flight');
  });

  it('ends at Leadway when the client disconnects in the middle of it', async () => {
    const gone = Promise.withResolvers<void>();
    await using upstream = await withUpstream((_req, res) => {
      res.setHeader('Content-Type', 'application/json').write('{"first":');
      res.once('close', () => gone.resolve());
    });
    using client = await connectTo(upstream.testServer);
    await client.send(`GET /api${PATH} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    await client.until((received) => received.includes('{"first":'));
    client.leave();
    await gone.promise;
    await settled(() => upstream.testServer.server.context.activity.requests === 0, 'nothing is in flight');
  });

  it('is not waited for when the client disconnects before it', async () => {
    await using testServer = await createTestServer({
      sandbox: { fault: 'never-answers' },
      env: { PASSTHROUGH },
    });
    using client = await connectTo(testServer);
    await client.send(`GET /api${PATH} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    await testServer.sandbox.waitFor(([request]) => request?.complete === true);
    client.leave();
    await testServer.sandbox.waitFor(([request]) => request?.left === true);
    await testServer.assertClean();
  });
});
