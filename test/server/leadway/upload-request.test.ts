import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { AppError } from '../../../server/errors/app-error.ts';
import type { LogFields } from '../../../server/http/log-fields.ts';
import { createUpstreamAgent, type UpstreamAgent } from '../../../server/leadway/agent.ts';
import { LeadwayClient } from '../../../server/leadway/client.ts';
import { createLogger } from '../../../server/logger.ts';
import { LogSink } from '../../helpers/log-sink.ts';
import { within } from '../../helpers/within.ts';

/** An upstream that responds byte by byte, as the test says. */
describe('an upload that is streamed to Leadway', () => {
  let server: Server;
  let agent: UpstreamAgent;
  let client: LeadwayClient;
  let connected: Promise<[Socket]>;
  let failures: AppError[];
  let log: LogFields;

  beforeEach(async () => {
    server = createServer((socket) => socket.on('error', () => {}));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    connected = once(server, 'connection') as Promise<[Socket]>;
    agent = createUpstreamAgent();
    client = new LeadwayClient({
      baseUrl: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
      apiVersion: '2021-07-28',
      timeoutMs: 5_000,
      tokens: { current: () => 'token', all: () => ['token'], refresh: async () => false },
      quota: { take: async () => {}, takeNow: () => true, update: () => {} },
      agent,
      logger: await createLogger({ level: 'silent', destination: new LogSink() }),
    });
    failures = [];
    log = {};
  });
  afterEach(() => {
    agent[Symbol.dispose]();
    server.close();
  });

  const open = (contentLength: number | null = null) =>
    client.openUpload(contentLength, {
      locationId: 'l',
      contentType: 'multipart/form-data; boundary=b',
      signal: new AbortController().signal,
      log,
      fail: (error) => failures.push(error),
    });

  /** Waits until the upstream has the beginning of the body. */
  async function untilSent(text: string): Promise<Socket> {
    const [socket] = await connected;
    let received = '';
    while (!received.includes(text)) received += ((await once(socket, 'data')) as [Buffer])[0].toString();
    return socket;
  }

  for (const [contentLength, framing] of [
    [3, 'Content-Length: 3'],
    [null, 'Transfer-Encoding: chunked'],
  ] as const) {
    it(`says where it goes, that the connection is to be kept and ${framing}`, async () => {
      const committed = open(contentLength).commit([Buffer.from('abc')]);
      const [socket] = await connected;
      const [bytes] = (await once(socket, 'data')) as [Buffer];
      const [head] = bytes.toString().split('\r\n\r\n');
      assert.deepEqual(head?.split('\r\n'), [
        'POST /conversations/messages/upload HTTP/1.1',
        'Authorization: Bearer token',
        'Version: 2021-07-28',
        'Accept: application/json',
        'Accept-Encoding: identity',
        'User-Agent: leadway-bff',
        'Content-Type: multipart/form-data; boundary=b',
        framing,
        `Host: 127.0.0.1:${(server.address() as AddressInfo).port}`,
        'Connection: keep-alive',
      ]);
      socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}');
      await committed;
    });
  }

  const rejection = JSON.stringify({ status: 413, message: 'too large' });
  const head = `HTTP/1.1 413 Payload Too Large\r\nContent-Length: ${rejection.length}\r\n\r\n`;

  it('ends the commit with the response that had begun before it', async () => {
    const request = open();
    request.write(Buffer.from('beginning'));
    const socket = await untilSent('beginning');
    socket.write(head + rejection.slice(0, 5));
    while (log.upstreamStatus === undefined) await new Promise((resolve) => setImmediate(resolve));
    const committed = request.commit([Buffer.from('end')]);
    socket.write(rejection.slice(5));
    await assert.rejects(committed, { code: 'UPSTREAM_REJECTED', status: 413 });
    assert.equal(failures.length, 1);
    assert.equal(failures[0]?.status, 413);
  });

  it('takes an early success for nonsense, since Leadway can not have had everything', async () => {
    const request = open();
    request.write(Buffer.from('beginning'));
    const socket = await untilSent('beginning');
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}');
    while (failures.length === 0) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(failures[0]?.code, 'UPSTREAM_ERROR');
    await once(socket, 'close');
  });

  it('reads a response of exactly the bound and no more', async () => {
    for (const [bytes, message] of [
      [64 * 1024, 'too large'],
      [64 * 1024 + 1, 'Leadway rejected the request.'],
    ] as const) {
      connected = once(server, 'connection') as Promise<[Socket]>;
      failures = [];
      const request = open();
      request.write(Buffer.from('beginning'));
      const socket = await untilSent('beginning');
      const json = '{"status":413,"message":"too large"}'.padEnd(bytes, ' ');
      socket.write(`HTTP/1.1 413 Payload Too Large\r\nContent-Length: ${bytes}\r\n\r\n${json}`);
      while (failures.length === 0) await new Promise((resolve) => setImmediate(resolve));
      assert.equal(failures[0]?.status, 413);
      assert.equal(failures[0].messageIn('en'), message);
    }
  });

  it('does not use a connection again on which its own body is stuck', async () => {
    const request = open();
    server.once('connection', (socket: Socket) => socket.pause());
    const committed = request.commit([Buffer.alloc(30_000_000)]);
    const [socket] = await connected;
    const closed = once(socket, 'close');
    socket.write(head + rejection);
    const response = await committed;
    assert.equal(response.status, 413);
    socket.resume();
    await closed;
    assert(socket.bytesRead < 30_000_000, 'the rest of the body was not sent any more');
  });

  it('fails the commit when the connection breaks before the response, in the middle of it, or in its head', async () => {
    for (const begun of ['', 'HTTP/1.1 2', 'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"uploaded']) {
      connected = once(server, 'connection') as Promise<[Socket]>;
      const committed = open().commit([Buffer.from('all of it')]);
      const socket = await untilSent('all of it');
      socket.end(begun);
      await assert.rejects(committed, { code: 'UPSTREAM_ABORTED' });
    }
  });

  it('fails the commit when Leadway switches protocols, which is neither a response nor an error', async () => {
    const committed = open().commit([Buffer.from('all of it')]);
    const socket = await untilSent('all of it');
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n');
    await assert.rejects(within(committed, 'the commit fails'), { code: 'UPSTREAM_ERROR' });
  });

  it('fails the commit when it is destroyed', async () => {
    const request = open();
    const committed = request.commit([Buffer.from('all of it')]);
    await untilSent('all of it');
    request.destroy();
    await assert.rejects(within(committed, 'the commit fails'), { code: 'UPSTREAM_ABORTED' });
    assert.deepEqual(failures, []);
  });

  it('fails the commit when the response is no HTTP', async () => {
    const committed = open().commit([Buffer.from('all of it')]);
    const socket = await untilSent('all of it');
    socket.end('220 smtp.example ESMTP\r\n');
    await assert.rejects(committed, { code: 'UPSTREAM_ERROR' });
  });
});
