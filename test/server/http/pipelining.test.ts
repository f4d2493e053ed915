import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mock } from 'node:test';
import { LingeringClose } from '../../../server/http/lingering-close.ts';
import { createListener, LISTENER_LIMITS } from '../../../server/http/listener.ts';
import { Connection, PIPELINING_LIMITS, type PipeliningLimits } from '../../../server/http/pipelining.ts';
import { isResponseSent, onResponseEnd } from '../../../server/http/response-end.ts';
import { settled } from '../../helpers/test-server.ts';
import { dial } from './wire.ts';

const GET = (path: string) => `GET ${path} HTTP/1.1\r\nHost: test\r\n\r\n`;

/** A server that holds every response until it is told to respond. */
class HeldServer implements AsyncDisposable {
  readonly held: { readonly req: IncomingMessage; readonly res: ServerResponse }[] = [];
  /** How each response ended, in the order in which they did. */
  readonly ended: string[] = [];
  readonly server: Server;
  handled = 0;

  constructor(limits: Partial<PipeliningLimits> = {}) {
    this.server = createListener(
      (req, res) => {
        this.handled += 1;
        this.held.push({ req, res });
        onResponseEnd(res, () => this.ended.push(`${req.url} ${isResponseSent(res) ? 'sent' : 'cut'}`));
      },
      () => {},
      new LingeringClose(),
      { ...LISTENER_LIMITS, pipelining: { ...PIPELINING_LIMITS, ...limits } },
    );
  }

  async listen(): Promise<string> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Responds to the oldest request with its own path. */
  respond(): void {
    const { req, res } = this.held.shift() ?? {};
    const path = req?.url ?? '';
    res?.setHeader('Content-Length', path.length).end(path);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.server, 'close');
    this.server.close();
    this.server.closeAllConnections();
    await closed;
  }
}

describe('pipelined requests', () => {
  it('are handled eight at a time, in their order', async () => {
    await using server = new HeldServer();
    const paths = Array.from({ length: 20 }, (_, index) => `/${index}`);
    using wire = await dial(await server.listen(), paths.map(GET).join(''));
    await settled(() => server.handled === 8, 'eight are handled');
    for (const [index, path] of paths.entries()) {
      assert.equal(server.handled, Math.min(20, 8 + index));
      server.respond();
      assert.equal((await wire.response()).body, path);
      await settled(() => server.handled === Math.min(20, 9 + index), 'the next one is handled');
    }
    assert.deepEqual(
      server.ended,
      paths.map((path) => `${path} sent`),
    );
  });

  it('have their bodies, those that waited too', async () => {
    await using server = new HeldServer({ maxHandled: 1 });
    const body = 'x'.repeat(200_000);
    const post = `POST /p HTTP/1.1\r\nHost: test\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    using wire = await dial(await server.listen(), GET('/one') + post + GET('/three'));
    await settled(() => server.handled === 1, 'the first is handled');
    server.respond();
    assert.equal((await wire.response()).body, '/one');
    await settled(() => server.handled === 2, 'the second is handled');
    let bytes = 0;
    const { req } = server.held[0] ?? assert.fail('nothing is held');
    for await (const chunk of req) bytes += (chunk as Buffer).length;
    assert.equal(bytes, body.length);
    server.respond();
    assert.equal((await wire.response()).body, '/p');
    await settled(() => server.handled === 3, 'the third is handled');
    server.respond();
    assert.equal((await wire.response()).body, '/three');
  });

  it('behind which more than a hundred wait are the last ones of their connection', async () => {
    await using server = new HeldServer();
    using wire = await dial(await server.listen(), GET('/x').repeat(109));
    await settled(() => server.handled === 8, 'eight are handled');
    for (let count = 0; count < 8; count += 1) {
      server.respond();
      assert.equal((await wire.response()).body, '/x');
    }
    await wire.closed;
    assert.equal(server.handled, 8);
    assert.equal(wire.rest, '');
  });

  it('behind which a hundred wait are all handled', async () => {
    await using server = new HeldServer();
    using wire = await dial(await server.listen(), GET('/x').repeat(108));
    for (let count = 0; count < 108; count += 1) {
      await settled(() => server.held.length > 0, 'one is handled');
      server.respond();
      assert.equal((await wire.response()).body, '/x');
    }
  });

  for (const [name, last] of Object.entries({
    nothing: '',
    'a CONNECT': 'CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n',
    'an upgrade': 'GET /u HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    garbage: 'garbage\r\n\r\n',
  })) {
    for (const leave of ['destroy', 'end'] as const) {
      it(`all end when their client disconnects (${name} behind them, ${leave})`, async () => {
        await using server = new HeldServer();
        const url = await server.listen();
        using wire = await dial(url, `${GET('/1')}${GET('/2')}${GET('/3')}${last}`);
        await settled(() => server.handled >= 3, 'they are handled');
        wire.socket[leave]();
        await settled(() => server.ended.length === server.handled, 'every response has ended');
        assert(server.ended.every((line) => line.endsWith('cut')));
        await new Promise<void>((resolve) =>
          server.server.getConnections((_, count) => {
            assert.equal(count, 0);
            resolve();
          }),
        );
      });
    }
  }

  for (const count of [20, 109, 3_000]) {
    it(`all end when their client disconnects while ${count} of them wait or are dropped`, async () => {
      await using server = new HeldServer();
      using wire = await dial(await server.listen(), GET('/1').repeat(count));
      await settled(() => server.handled === 8, 'eight are handled');
      wire.socket.destroy();
      await settled(() => server.ended.length === 8, 'every response has ended');
    });
  }

  it('have their responses before that to a CONNECT', async () => {
    await using server = new HeldServer();
    using wire = await dial(await server.listen(), `${GET('/1')}CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n`);
    await settled(() => server.handled === 1, 'the first is handled');
    server.respond();
    assert.equal((await wire.response()).body, '/1');
    assert.equal((await wire.response()).error.code, 'METHOD_NOT_ALLOWED');
    await wire.closed;
  });
});

describe('a response that is not read', () => {
  // The server's own checks go by the real clock.
  beforeEach(() => mock.timers.enable({ apis: ['setInterval'] }));
  afterEach(() => mock.timers.reset());

  /** A request on a connection whose client reads nothing, with the connection's own clock in our hands. */
  async function unread(server: HeldServer) {
    const wire = await dial(await server.listen(), GET('/1') + GET('/2'));
    await settled(() => server.handled === 2, 'they are handled');
    const { req, res } = server.held[0] ?? assert.fail('nothing is held');
    const connection = Connection.of(req.socket) ?? assert.fail('the connection is not known');
    wire.socket.pause();
    return { wire, res, socket: req.socket, check: (now: number) => connection.check(now) };
  }

  it('is ended after half a minute without progress, and with it what is queued behind', async () => {
    await using server = new HeldServer();
    const { wire, res, check } = await unread(server);
    using _wire = wire;
    res.end(Buffer.alloc(32 * 1024 * 1024));
    const begin = Math.floor(performance.now()); // the server looks at it by its own clock, too
    check(begin);
    check(begin + 29_999);
    assert.deepEqual(server.ended, []);
    check(begin + 30_000);
    await settled(() => server.ended.length === 2, 'both have ended');
    assert.deepEqual(server.ended.sort(), ['/1 cut', '/2 cut']);
  });

  it('goes on as long as its client takes some of it now and then', async () => {
    await using server = new HeldServer();
    const { wire, res, socket, check } = await unread(server);
    using _wire = wire;
    const piece = Buffer.alloc(4 * 1024 * 1024);
    for (let count = 0; count < 8; count += 1) res.write(piece);
    let now = Math.floor(performance.now());
    for (let unsent = socket.writableLength; unsent > 0; now += 29_999) {
      check(now);
      assert.equal(socket.destroyed, false);
      wire.socket.resume();
      await settled(() => socket.writableLength < unsent, 'some of it was taken', 20_000);
      wire.socket.pause();
      unsent = socket.writableLength;
    }
    check(now);
    check(now + 60_000);
    assert.equal(socket.destroyed, false, 'a response that is still being made is not stalled');
  });
});
