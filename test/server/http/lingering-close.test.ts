import assert from 'node:assert/strict';
import { once } from 'node:events';
import {
  LINGERING_LIMITS,
  LingeringClose,
  type LingeringLimits,
} from '../../../server/http/lingering-close.ts';
import { isResponseSent, onResponseEnd } from '../../../server/http/response-end.ts';
import { type Exchange, openExchange } from './exchange.ts';

const WIDE: LingeringLimits = {
  maxBytes: 1e9,
  idleMs: 60_000,
  heldBackMs: 60_000,
  minBytesPerSecond: 0,
  graceMs: 60_000,
  totalMs: 60_000,
  maxPerAddress: 100,
  max: 100,
};

/** A request with `length` bytes of body to come, and its response, sent at once. */
async function rejected(
  lingering: LingeringClose,
  { length = 1e12, headers = '', address = 'a', version = '1.1' } = {},
): Promise<Exchange> {
  const exchange = await openExchange(
    `POST / HTTP/${version}\r\nHost: localhost\r\n${headers}Content-Length: ${length}\r\n\r\n`,
  );
  const { wire, req, res } = exchange;
  lingering.holdOpen(req, res, () => address);
  res.end('rejected');
  const { body, headers: sent } = await wire.response();
  assert.equal(body, 'rejected');
  assert.equal(sent['connection'], 'close');
  assert.equal(sent['content-length'], '8');
  return exchange;
}

describe('a connection that lingers', () => {
  for (const [name, options] of Object.entries({
    'keep-alive': {},
    'Connection: close': { headers: 'Connection: close\r\n' },
    'HTTP/1.0': { version: '1.0' },
  })) {
    it(`is open until the body has been read, and then closed (${name})`, async () => {
      using lingering = new LingeringClose(WIDE);
      await using client = await rejected(lingering, { ...options, length: 500_000 });
      assert.equal(lingering.count, 1);
      client.wire.send(Buffer.alloc(499_999));
      await once(client.req, 'data');
      assert.equal(client.wire.socket.destroyed, false);
      assert.equal(client.res.writableFinished, false);
      client.wire.send('x');
      await client.wire.closed;
      assert.equal(client.res.writableFinished, true);
      assert.equal(lingering.count, 0);
    });
  }

  it('completes the response to Connection: close with the body, as a proxy closes its client’s connection then', async () => {
    using lingering = new LingeringClose(WIDE);
    await using client = await openExchange(
      'POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 9\r\n\r\n',
    );
    const { req, res, wire } = client;
    lingering.holdOpen(req, res, () => 'a');
    const written = new Promise<void>((resolve) => res.end('rejected', resolve));
    await written;
    assert.equal(isResponseSent(res), true);
    assert.equal(lingering.count, 1);
    wire.send('123456789');
    assert.equal((await wire.response()).body, 'rejected');
    assert.equal(req.complete, true);
  });

  it('has its response ended while the body still comes', async () => {
    using lingering = new LingeringClose(WIDE);
    await using client = await openExchange(
      'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n',
    );
    const { req, res, wire } = client;
    lingering.holdOpen(req, res, () => 'a');
    const ended = new Promise<void>((resolve) => onResponseEnd(res, resolve));
    const written = new Promise<void>((resolve) => res.end('no', resolve));
    await Promise.all([ended, written]);
    assert.equal(isResponseSent(res), true);
    assert.equal(res.closed, false);
    assert.equal((await wire.response()).body, 'no');
  });

  it('takes no second response', async () => {
    using lingering = new LingeringClose(WIDE);
    await using client = await rejected(lingering, { length: 3 });
    client.res.end('again');
    client.wire.send('abc');
    await client.wire.closed;
    assert.equal(client.wire.rest, '');
  });

  it('does not keep a response open whose body has come', async () => {
    using lingering = new LingeringClose(WIDE);
    await using client = await openExchange(
      'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc',
    );
    const { req, res, wire } = client;
    lingering.holdOpen(req, res, () => 'a');
    req.resume();
    await once(req, 'end');
    res.setHeader('Content-Length', 2).end('ok');
    assert.notEqual((await wire.response()).headers['connection'], 'close');
    assert.equal(lingering.count, 0);
  });

  it('sends a response without a body', async () => {
    using lingering = new LingeringClose(WIDE);
    for (const [status, method, length] of [
      [204, 'POST', undefined],
      [200, 'HEAD', undefined],
      [401, 'POST', '0'],
    ] as const) {
      await using client = await openExchange(
        `${method} / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n`,
      );
      lingering.holdOpen(client.req, client.res, () => 'a');
      client.res.statusCode = status;
      client.res.end();
      const { status: got, headers } = await client.wire.response({ hasBody: method !== 'HEAD' });
      assert.equal(got, status);
      assert.equal(headers['content-length'], length);
      assert.equal(headers['connection'], 'close');
    }
  });

  it('bounds what is read after a response in chunks, which can’t be held open', async () => {
    using lingering = new LingeringClose({ ...WIDE, maxBytes: 100_000 });
    await using client = await openExchange(
      'POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 9000000\r\n\r\n',
    );
    lingering.holdOpen(client.req, client.res, () => 'a');
    client.res.write('some');
    client.res.end();
    assert.equal(lingering.count, 1);
    client.wire.send(Buffer.alloc(5_000_000));
    await client.wire.closed;
    assert.equal(lingering.count, 0);
  });

  it('is closed when more bytes come than are read', async () => {
    using lingering = new LingeringClose({ ...WIDE, maxBytes: 100_000 });
    await using client = await rejected(lingering);
    client.wire.send(Buffer.alloc(90_000));
    client.wire.send(Buffer.alloc(5_000_000));
    await client.wire.closed;
    assert.equal(lingering.count, 0);
  });

  it('is closed when nothing comes any more', async () => {
    using lingering = new LingeringClose({ ...WIDE, idleMs: 50 });
    await using client = await rejected(lingering);
    client.wire.send(Buffer.alloc(1_000));
    await client.wire.closed;
  });

  it('is closed sooner when the body never begins, for want of a 100 Continue', async () => {
    using lingering = new LingeringClose({ ...WIDE, heldBackMs: 50 });
    await using client = await rejected(lingering, { headers: 'Expect: 100-continue\r\n' });
    await client.wire.closed;
  });

  it('is closed when bytes come too slowly', async () => {
    using lingering = new LingeringClose({ ...WIDE, minBytesPerSecond: 1_000_000, graceMs: 300 });
    await using client = await rejected(lingering);
    const timer = setInterval(() => client.wire.send('x'), 10);
    try {
      await client.wire.closed;
    } finally {
      clearInterval(timer);
    }
  });

  it('is closed in the end even if bytes keep coming', async () => {
    using lingering = new LingeringClose({ ...WIDE, totalMs: 300 });
    await using client = await rejected(lingering);
    const timer = setInterval(() => client.wire.send('x'), 10);
    try {
      await client.wire.closed;
    } finally {
      clearInterval(timer);
    }
  });

  it('is half-closed first, so that the client can read what it was sent', async () => {
    using lingering = new LingeringClose({ ...WIDE, idleMs: 50 });
    await using client = await rejected(lingering);
    const { socket } = client.wire;
    await once(socket, 'end');
    assert.equal(client.req.socket.destroyed, false);
  });

  it('gives way to a ninth of the same address, and to a sixty-fifth of the address with the most', async () => {
    using lingering = new LingeringClose({ ...WIDE, maxPerAddress: 2, max: 3 });
    await using first = await rejected(lingering, { address: 'a' });
    await using other = await rejected(lingering, { address: 'b' });
    await using second = await rejected(lingering, { address: 'a' });
    await using third = await rejected(lingering, { address: 'a' });
    await once(first.wire.socket, 'end');
    assert.equal(lingering.count, 3);
    await using stranger = await rejected(lingering, { address: 'c' });
    await once(second.wire.socket, 'end');
    assert.equal(lingering.count, 3);
    for (const { wire } of [other, third, stranger]) assert.equal(wire.socket.readableEnded, false);
  });

  it('reads at most 128 MiB, 10 s without a byte, 8 KiB/s on average, 15 minutes', () => {
    assert.deepEqual(LINGERING_LIMITS, {
      maxBytes: 128 * 1024 * 1024,
      idleMs: 10_000,
      heldBackMs: 1_000,
      minBytesPerSecond: 8 * 1024,
      graceMs: 30_000,
      totalMs: 15 * 60_000,
      maxPerAddress: 8,
      max: 64,
    });
  });
});
