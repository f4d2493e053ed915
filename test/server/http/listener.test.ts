import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { LingeringClose } from '../../../server/http/lingering-close.ts';
import { createListener, LISTENER_LIMITS } from '../../../server/http/listener.ts';
import { assertError } from '../errors/assert-error.ts';
import { dial } from './wire.ts';

type Handler = (req: IncomingMessage, res: ServerResponse) => void;

/** A listener for `handler` on a free port. */
async function listen(handler: Handler, limits = LISTENER_LIMITS) {
  const rejected: string[] = [];
  const server: Server = createListener(
    handler,
    ({ code }) => rejected.push(code),
    new LingeringClose(),
    limits,
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    rejected,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

const GET = (path: string) => `GET ${path} HTTP/1.1\r\nHost: test\r\n\r\n`;
const POST = 'POST /p HTTP/1.1\r\nHost: test\r\n';

/** Responds with the path, when told to. */
function gate() {
  const open = Promise.withResolvers<void>();
  const handler: Handler = (req, res) => {
    req.resume();
    void open.promise.then(() => res.setHeader('Content-Length', String(req.url?.length)).end(req.url));
  };
  return { open: () => open.resolve(), handler };
}

describe('the listener', () => {
  it('responds with 408 to headers that are too slow, and to a connection that says nothing', async () => {
    const limits = { ...LISTENER_LIMITS, headersTimeoutMs: 100, checkIntervalMs: 20 };
    await using server = await listen(gate().handler, limits);
    using slow = await dial(server.url, 'GET / HTTP/1.1\r\nHost: te');
    using silent = await dial(server.url);
    assertError(await slow.response(), 'REQUEST_TIMEOUT');
    assertError(await silent.response(), 'REQUEST_TIMEOUT');
    await Promise.all([slow.closed, silent.closed]);
    assert.deepEqual(server.rejected, ['REQUEST_TIMEOUT', 'REQUEST_TIMEOUT']);
  });

  it('has 15 s for headers, 16 KiB of them, and a keep-alive longer than a balancer’s', () => {
    assert.equal(LISTENER_LIMITS.headersTimeoutMs, 15_000);
    assert.equal(LISTENER_LIMITS.maxHeaderSize, 16 * 1024);
    assert(LISTENER_LIMITS.keepAliveTimeoutMs > 60_000);
  });

  it('responds to pipelined requests in their order on one connection', async () => {
    const { handler, open } = gate();
    await using server = await listen(handler);
    using wire = await dial(server.url, GET('/one') + GET('/two') + GET('/three'));
    open();
    const responses = [await wire.response(), await wire.response(), await wire.response()];
    assert.deepEqual(
      responses.map(({ body }) => body),
      ['/one', '/two', '/three'],
    );
  });

  it('lets complete requests have their responses when garbage follows them', async () => {
    const seen: string[] = [];
    const { handler, open } = gate();
    await using server = await listen((req, res) => {
      seen.push(req.url ?? '');
      if (seen.length === 2) setImmediate(open);
      handler(req, res);
    });
    using wire = await dial(server.url, `${GET('/one')}${GET('/two')}garbage\r\n\r\n`);
    wire.send('more garbage\r\n\r\n');
    assert.equal((await wire.response()).body, '/one');
    assert.equal((await wire.response()).body, '/two');
    assertError(await wire.response(), 'BAD_REQUEST');
    await wire.closed;
    assert.equal(wire.rest, '');
    assert.deepEqual(server.rejected, ['BAD_REQUEST']);
  });

  it('lets a complete body have its response when garbage follows it', async () => {
    const { handler, open } = gate();
    await using server = await listen((req, res) => {
      handler(req, res);
      req.once('end', () => setImmediate(open));
    });
    using wire = await dial(server.url, `${POST}Content-Length: 3\r\n\r\nabcgarbage\r\n\r\n`);
    assert.equal((await wire.response()).body, '/p');
    assertError(await wire.response(), 'BAD_REQUEST');
    await wire.closed;
  });

  it('adds no second response when a body breaks after its request has a response', async () => {
    await using server = await listen((_req, res) => res.setHeader('Content-Length', '2').end('no'));
    using wire = await dial(server.url, `${POST}Transfer-Encoding: chunked\r\n\r\n5\r\nab`);
    assert.equal((await wire.response()).body, 'no');
    wire.send('cdeXX\r\n');
    await wire.closed;
    assert.equal(wire.rest, '');
  });

  it('lets a response that has begun go on when the body breaks, then closes', async () => {
    await using server = await listen((req, res) => {
      res.setHeader('Content-Length', '4').write('ab');
      // The next turn comes after what is wrong with the rest of the same read.
      req.once('data', () => setImmediate(() => res.end('cd')));
    });
    using wire = await dial(server.url, `${POST}Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\nXX\r\n`);
    assert.equal((await wire.response()).body, 'abcd');
    await wire.closed;
  });

  it('takes a client that ends in the middle of a body for one that left', async () => {
    const left = Promise.withResolvers<boolean>();
    await using server = await listen((req, res) => {
      req.on('error', () => {}).resume();
      res.once('close', () => left.resolve(!res.writableFinished));
    });
    using wire = await dial(server.url, `${POST}Content-Length: 10\r\n\r\nabc`);
    wire.socket.end();
    assert.equal(await left.promise, true);
    await wire.closed;
    assert.deepEqual(server.rejected, []);
  });

  it('leaves the body to come to the handler under Expect: 100-continue', async () => {
    await using server = await listen((req, res) => {
      if (req.url === '/p') res.writeContinue();
      req.resume().once('end', () => res.setHeader('Content-Length', '2').end('ok'));
    });
    using wire = await dial(server.url, `${POST}Expect: 100-continue\r\nContent-Length: 3\r\n\r\n`);
    await wire.interim();
    wire.send('abc');
    assert.equal((await wire.response()).body, 'ok');
  });
});
