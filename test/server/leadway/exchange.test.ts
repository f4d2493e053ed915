import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createUpstreamAgent, type UpstreamAgent } from '../../../server/leadway/agent.ts';
import type { ExchangeError, ExchangeRequest } from '../../../server/leadway/exchange.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}';

describe('a request whose body is known in full', () => {
  let server: Server;
  let agent: UpstreamAgent;
  let origin: URL;
  let sockets: Socket[];
  /** What the upstream does with the first bytes of each request. */
  let respond: (socket: Socket) => unknown;

  beforeEach(async () => {
    sockets = [];
    respond = (socket) => socket.write(OK);
    server = createServer((socket) => {
      sockets.push(socket);
      socket.on('error', () => {});
      socket.on('data', () => respond(socket));
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    origin = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    agent = createUpstreamAgent();
  });
  afterEach(() => {
    agent[Symbol.dispose]();
    for (const socket of sockets) socket.destroy();
    server.close();
  });

  const send = (options: Partial<ExchangeRequest> = {}) =>
    agent.exchange({
      method: 'POST',
      url: origin,
      path: '/',
      headers: [],
      body: '{}',
      timeoutMs: 5_000,
      signal: new AbortController().signal,
      connection: 'pooled',
      maxBytes: () => 1024,
      ...options,
    });
  const fails = async (promise: Promise<unknown>): Promise<ExchangeError> => {
    const error = await promise.then(
      () => assert.fail('it succeeded'),
      (reason: ExchangeError) => reason,
    );
    assert.equal(error.name, 'ExchangeError');
    return error;
  };

  it('uses the connection that was used last, or a fresh one when asked to', async () => {
    await Promise.all([send(), send()]);
    await send();
    await send();
    assert.equal(sockets.length, 2);
    await send({ connection: 'fresh' });
    assert.equal(sockets.length, 3);
    await once(sockets[2] as Socket, 'close');
    await send();
    assert.equal(sockets.length, 3);
  });

  it('skips interim responses, a 100 that was not asked for too', async () => {
    const interim = 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n';
    respond = (socket) => socket.write(interim + OK);
    assert.equal((await send()).status, 200);
    assert.equal((await send()).body?.toString(), '{}', 'on a reused connection');
    respond = (socket) =>
      socket.write('HTTP/1.1 100 Continue\r\n\r\n', () => setImmediate(() => socket.write(OK)));
    assert.equal((await send({ connection: 'fresh' })).status, 200, 'alone in its packet');
    const text = 'HTTP/1.1 100 Continue\r\n\r\n';
    respond = (socket) => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${text.length}\r\n\r\n`, () => socket.write(text));
    };
    assert.equal((await send()).body?.toString(), text, 'in a body it is content');
    respond = (socket) => socket.end('HTTP/1.1 100 Continue\r\n\r\n');
    assert.equal((await fails(send())).isStale, false, 'it has looked at the request');
  });

  it('is stale when a reused connection ends before a byte of a response, and never on a fresh one', async () => {
    await send();
    respond = (socket) => socket.destroy();
    assert.equal((await fails(send())).isStale, true);
    assert.equal((await fails(send())).isStale, false, 'its connection was fresh');
    respond = (socket) => socket.write(OK);
    await send();
    respond = (socket) => socket.end('H');
    assert.equal((await fails(send())).isStale, false, 'a byte of a response came');
  });

  it('says whether the kernel has all of its body; if not, its connection is closed', async () => {
    assert.equal((await send()).hasSentAll, true);
    respond = (socket) => {
      socket.pause();
      socket.write(OK);
    };
    const { status, hasSentAll } = await send({ body: Buffer.alloc(30_000_000) });
    assert.deepEqual({ status, hasSentAll }, { status: 200, hasSentAll: false });
    respond = (socket) => sockets.indexOf(socket) === 1 && socket.write(OK);
    sockets[0]?.resume();
    await once(sockets[0] as Socket, 'close');
    await send();
    assert.equal(sockets.length, 2);
  });

  it('reads a response up to the bound', async () => {
    assert.equal((await send({ maxBytes: () => 2 })).body?.toString(), '{}');
    assert.equal((await send({ maxBytes: () => 1 })).body, null);
  });

  it('ends when it is aborted, before and after it has a connection', async () => {
    const early = new AbortController();
    const waiting = fails(send({ signal: early.signal }));
    early.abort();
    assert.equal((await waiting).wasConnected, false);
    const late = new AbortController();
    const { promise: arrived, resolve } = Promise.withResolvers<Socket>();
    respond = resolve;
    const failure = fails(send({ signal: late.signal }));
    const closed = once(await arrived, 'close');
    late.abort();
    assert.equal((await failure).wasConnected, true);
    await closed;
  });

  it('has no connection where nobody listens', async () => {
    server.close();
    await once(server, 'close');
    const error = await fails(send());
    assert.equal(error.wasConnected, false);
    assert.equal((error.cause as NodeJS.ErrnoException).code, 'ECONNREFUSED');
  });
});
