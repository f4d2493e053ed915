import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mock } from 'node:test';
import { hasBody } from '../../../server/http/body.ts';
import { BODY_PACE, type BodyPace, watchBody } from '../../../server/http/byte-progress.ts';
import { type Exchange, openExchange } from './exchange.ts';

/** No limit is in the way unless a case sets it. */
const PATIENT: BodyPace = { idleMs: 60_000, minBytesPerSecond: 0, graceMs: 600_000, totalMs: 600_000 };
const KIB = 1024;

describe('watchBody', () => {
  let exchange: Exchange;
  let nowMs: number;
  let timeouts: number;

  beforeEach(() => {
    nowMs = 0;
    timeouts = 0;
    mock.timers.enable({ apis: ['setInterval'] });
    mock.method(performance, 'now', () => nowMs);
  });
  afterEach(async () => {
    mock.restoreAll();
    mock.timers.reset();
    await exchange[Symbol.asyncDispose]();
  });

  /** A request with a body of `length` bytes announced, watched by `pace`. */
  async function watch(pace: Partial<BodyPace>, length = 100_000_000): Promise<Exchange> {
    exchange = await openExchange(`POST / HTTP/1.1\r\nHost: test\r\nContent-Length: ${length}\r\n\r\n`);
    watchBody(exchange.req, exchange.res, { ...PATIENT, ...pace }, () => {
      timeouts += 1;
    });
    exchange.req.resume();
    return exchange;
  }

  /** Lets `ms` pass by the clock of the watch. */
  function pass(ms: number): void {
    for (let passed = 0; passed < ms; passed += 1_000) {
      nowMs += 1_000;
      mock.timers.tick(1_000);
    }
  }

  /** Sends a piece and waits until it has been read. */
  async function send(bytes: number): Promise<void> {
    const arrived = once(exchange.req, 'data');
    exchange.wire.send(Buffer.alloc(bytes));
    await arrived;
  }

  it('ends a body of which nothing comes, once', async () => {
    await watch({ idleMs: 30_000 });
    pass(29_000);
    assert.equal(timeouts, 0);
    pass(1_000);
    assert.equal(timeouts, 1);
    pass(120_000);
    assert.equal(timeouts, 1);
  });

  it('lets a slow body be that comes on', async () => {
    await watch({ idleMs: 30_000 });
    for (let piece = 0; piece < 5; piece += 1) {
      pass(29_000);
      await send(1);
      pass(1_000);
    }
    assert.equal(timeouts, 0);
  });

  it('ends a body that trickles below the lowest rate, once the grace is over', async () => {
    await watch({ graceMs: 30_000, minBytesPerSecond: KIB });
    for (let second = 0; second < 29; second += 1) {
      await send(KIB - 1);
      pass(1_000);
    }
    assert.equal(timeouts, 0);
    await send(KIB - 1);
    pass(1_000);
    assert.equal(timeouts, 1);
  });

  it('lets a body be that comes at the lowest rate', async () => {
    await watch({ graceMs: 10_000, minBytesPerSecond: KIB });
    for (let second = 0; second < 30; second += 1) {
      await send(KIB);
      pass(1_000);
    }
    assert.equal(timeouts, 0);
  });

  it('ends a body that takes longer than all bodies may', async () => {
    await watch({ totalMs: 20_000 });
    for (let second = 0; second < 20; second += 1) {
      assert.equal(timeouts, 0, `${second} s`);
      await send(10_000);
      pass(1_000);
    }
    assert.equal(timeouts, 1);
  });

  it('does not blame a client that we hold back', async () => {
    await watch({ idleMs: 5_000, graceMs: 5_000, minBytesPerSecond: KIB });
    exchange.req.pause();
    pass(300_000);
    assert.equal(timeouts, 0);
    exchange.req.resume();
    pass(4_000);
    assert.equal(timeouts, 0, 'what passed meanwhile does not count');
    pass(1_000);
    assert.equal(timeouts, 1);
  });

  it('stops with the response', async () => {
    await watch({ idleMs: 5_000 });
    exchange.res.end();
    await once(exchange.res, 'finish');
    pass(60_000);
    assert.equal(timeouts, 0);
  });

  it('stops with the body, however late the response', async () => {
    await watch({ idleMs: 5_000, totalMs: 10_000 }, 10);
    const ended = once(exchange.req, 'end');
    exchange.wire.send(Buffer.alloc(10));
    await ended;
    pass(60_000);
    assert.equal(timeouts, 0);
  });

  it('stops when the client disconnects', async () => {
    await watch({ idleMs: 5_000 });
    const closed = once(exchange.res, 'close');
    exchange.wire.socket.destroy();
    await closed;
    pass(60_000);
    assert.equal(timeouts, 0);
  });

  it('is kinder than Node’s five minutes in all', async () => {
    await watch({});
    assert.deepEqual(BODY_PACE, { minBytesPerSecond: 8192, graceMs: 30_000, totalMs: 3_600_000 });
  });

  it('is for requests that announce a body', async () => {
    for (const [headers, expected] of [
      ['Content-Length: 1', true],
      ['Transfer-Encoding: chunked', true],
      ['Content-Length: 0', false],
      ['Accept: */*', false],
    ] as const) {
      await using opened = await openExchange(`POST / HTTP/1.1\r\nHost: test\r\n${headers}\r\n\r\n`);
      assert.equal(hasBody(opened.req), expected, headers);
    }
    await watch({});
  });
});
