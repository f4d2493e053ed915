import assert from 'node:assert/strict';
import { BODY_PACE, type BodyPace, watchBody } from '../../../server/http/body-watch.ts';
import { type Exchange, openExchange } from './exchange.ts';
import type { Wire } from './wire.ts';

/** No limit is in the way unless a case sets it. */
const PATIENT: BodyPace = { idleMs: 60_000, minBytesPerSecond: 0, graceMs: 60_000, totalMs: 60_000 };

/** A pause that no busy machine makes between two pieces of a trickle. */
const LONG_PAUSE_MS = 1_000;

interface Watched extends Exchange {
  readonly tooSlow: Promise<void>;
  verdicts(): number;
}

/** A request with a body of 100 MB announced, watched by `pace`. */
async function watched(pace: BodyPace): Promise<Watched> {
  const exchange = await openExchange('POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 100000000\r\n\r\n');
  const { req, res } = exchange;
  const tooSlow = Promise.withResolvers<void>();
  let verdicts = 0;
  watchBody(req, res, pace, () => {
    verdicts += 1;
    tooSlow.resolve();
  });
  req.resume();
  return { ...exchange, tooSlow: tooSlow.promise, verdicts: () => verdicts };
}

/** Sends a piece every few milliseconds until disposed. */
function trickle(wire: Wire, bytes: number): Disposable {
  const timer = setInterval(() => wire.send(Buffer.alloc(bytes)), 10);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

const ticks = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe('watchBody', () => {
  it('ends a body of which nothing comes', async () => {
    await using body = await watched({ ...PATIENT, idleMs: 60 });
    await body.tooSlow;
    await ticks(150);
    assert.equal(body.verdicts(), 1);
  });

  it('lets a slow body be that comes on', async () => {
    await using body = await watched({ ...PATIENT, idleMs: LONG_PAUSE_MS });
    using _ = trickle(body.wire, 1);
    await ticks(LONG_PAUSE_MS * 1.5);
    assert.equal(body.verdicts(), 0);
  });

  it('ends a body that trickles below the lowest rate', async () => {
    await using body = await watched({ ...PATIENT, idleMs: 80, graceMs: 100, minBytesPerSecond: 100_000 });
    using _ = trickle(body.wire, 1);
    await body.tooSlow;
  });

  it('judges no rate before the grace is over', async () => {
    await using body = await watched({ ...PATIENT, idleMs: LONG_PAUSE_MS, minBytesPerSecond: 1e9 });
    using _ = trickle(body.wire, 1);
    await ticks(LONG_PAUSE_MS / 2); // the rate is looked at four times in each such pause
    assert.equal(body.verdicts(), 0);
  });

  it('ends a body that takes longer than all bodies may', async () => {
    await using body = await watched({ ...PATIENT, idleMs: 80, totalMs: 200 });
    using _ = trickle(body.wire, 10_000);
    await body.tooSlow;
  });

  it('does not blame a caller whom we hold back', async () => {
    await using body = await watched({ ...PATIENT, idleMs: 40, graceMs: 1, minBytesPerSecond: 1e9 });
    body.req.pause();
    await ticks(200);
    assert.equal(body.verdicts(), 0);
    body.req.resume();
    await body.tooSlow;
  });

  it('stops with the answer', async () => {
    await using body = await watched({ ...PATIENT, idleMs: 60 });
    body.res.end();
    await ticks(150);
    assert.equal(body.verdicts(), 0);
  });

  it('is kinder than Node’s five minutes in all', () => {
    assert.deepEqual(BODY_PACE, { minBytesPerSecond: 8192, graceMs: 30_000, totalMs: 3_600_000 });
  });
});
