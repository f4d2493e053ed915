import assert from 'node:assert/strict';
import { once } from 'node:events';
import { DRAIN_LIMITS, type DrainLimits, drainAfterAnswer } from '../../../server/http/bounded-drain.ts';
import { type Exchange, openExchange } from './exchange.ts';

const WIDE: DrainLimits = { maxBytes: 1e9, idleMs: 60_000, totalMs: 60_000 };

/** A request with `length` bytes of body to come that is answered at once. */
async function answered(limits: DrainLimits, length = 1e12): Promise<Exchange> {
  const exchange = await openExchange(`POST / HTTP/1.1\r\nHost: test\r\nContent-Length: ${length}\r\n\r\n`);
  const { wire, req, res } = exchange;
  drainAfterAnswer(req, res, limits);
  res.setHeader('Content-Length', '7').end('refused');
  assert.equal((await wire.answer()).body, 'refused');
  return exchange;
}

describe('drainAfterAnswer', () => {
  it('reads the rest of a body, and the connection serves on', async () => {
    await using caller = await answered(WIDE, 500_000);
    caller.wire.send(Buffer.alloc(500_000));
    await once(caller.req, 'end');
    assert.equal(caller.wire.socket.destroyed, false);
  });

  it('closes when more bytes come than it may throw away', async () => {
    await using caller = await answered({ ...WIDE, maxBytes: 100_000 });
    caller.wire.send(Buffer.alloc(90_000));
    caller.wire.send(Buffer.alloc(5_000_000));
    await caller.wire.closed;
  });

  it('closes when nothing comes any more', async () => {
    await using caller = await answered({ ...WIDE, idleMs: 50 });
    caller.wire.send(Buffer.alloc(1_000));
    await caller.wire.closed;
  });

  it('closes in the end even if bytes keep coming', async () => {
    await using caller = await answered({ ...WIDE, idleMs: 200, totalMs: 300 });
    const timer = setInterval(() => caller.wire.send('x'), 10);
    try {
      await caller.wire.closed;
    } finally {
      clearInterval(timer);
    }
  });

  it('throws away 2 MiB at most, for 5 s without a byte and 30 s in all', () => {
    assert.deepEqual(DRAIN_LIMITS, { maxBytes: 2 * 1024 * 1024, idleMs: 5_000, totalMs: 30_000 });
  });
});
