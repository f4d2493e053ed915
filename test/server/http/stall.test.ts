import assert from 'node:assert/strict';
import type { ClientRequest } from 'node:http';
import { mock } from 'node:test';
import { watchStall } from '../../../server/http/byte-progress.ts';

const TIMEOUT_MS = 1_000;

describe('watchStall', () => {
  const socket = { bytesWritten: 0, bytesRead: 0, writableLength: 0 };
  let nowMs: number;
  let stalls: number;
  let watch: ReturnType<typeof watchStall>;

  beforeEach(() => {
    nowMs = 0;
    stalls = 0;
    Object.assign(socket, { bytesWritten: 0, bytesRead: 0, writableLength: 0 });
    mock.timers.enable({ apis: ['setInterval'] });
    mock.method(performance, 'now', () => nowMs);
    // The watch looks at nothing of a request but the counters of its socket.
    watch = watchStall({ socket } as unknown as ClientRequest, TIMEOUT_MS, () => {
      stalls += 1;
    });
  });
  afterEach(() => {
    watch.stop();
    mock.restoreAll();
    mock.timers.reset();
  });

  function pass(ms: number): void {
    for (let passed = 0; passed < ms; passed += 50) {
      nowMs += 50;
      mock.timers.tick(50);
    }
  }

  it('never tells a stall while it is the client’s turn', () => {
    pass(60_000);
    assert.equal(stalls, 0);
  });

  it('tells once that the upstream neither takes nor sends anything', () => {
    watch.setWaiting(true);
    pass(TIMEOUT_MS - 100);
    assert.equal(stalls, 0);
    pass(400);
    assert.equal(stalls, 1);
    pass(60_000);
    assert.equal(stalls, 1);
  });

  it('takes every byte in either direction for progress', () => {
    watch.setWaiting(true);
    for (const counter of ['bytesRead', 'bytesWritten'] as const) {
      for (let round = 0; round < 5; round++) {
        pass(TIMEOUT_MS - 200);
        socket[counter] += 1;
        pass(100);
      }
    }
    assert.equal(stalls, 0);
    pass(TIMEOUT_MS * 2);
    assert.equal(stalls, 1);
  });

  it('does not take bytes for progress that are queued in the process', () => {
    watch.setWaiting(true);
    for (let round = 0; round < 4; round++) {
      socket.bytesWritten += 1_000;
      socket.writableLength += 1_000;
      pass(400);
    }
    assert.equal(stalls, 1);
  });

  it('counts from the beginning of each turn', () => {
    watch.setWaiting(true);
    pass(TIMEOUT_MS - 200);
    watch.setWaiting(false);
    pass(60_000);
    watch.setWaiting(true);
    pass(TIMEOUT_MS - 200);
    assert.equal(stalls, 0);
  });

  it('does not restart a turn that is going on', () => {
    watch.setWaiting(true);
    for (let time = 0; time < 10; time++) {
      pass(TIMEOUT_MS / 5);
      watch.setWaiting(true);
    }
    assert.equal(stalls, 1);
  });

  it('takes nothing for progress that was there before the turn', () => {
    socket.bytesRead += 1_000;
    watch.setWaiting(true);
    pass(TIMEOUT_MS);
    assert.equal(stalls, 1, 'to the millisecond');
  });

  it('looks every second at most, and four times in a short timeout', () => {
    for (const [timeoutMs, everyMs] of [
      [60_000, 1_000],
      [1_000, 250],
      [40, 20],
    ] as const) {
      const looked = mock.fn(() => null);
      const message = Object.defineProperty({}, 'socket', { get: looked }) as unknown as ClientRequest;
      const own = watchStall(message, timeoutMs, () => {});
      own.setWaiting(true);
      const before = looked.mock.callCount();
      mock.timers.tick(everyMs - 1);
      assert.equal(looked.mock.callCount(), before);
      mock.timers.tick(1);
      assert(looked.mock.callCount() > before, `${everyMs} ms`);
      own.stop();
    }
  });

  it('is silent once it is stopped', () => {
    watch.setWaiting(true);
    watch.stop();
    pass(60_000);
    assert.equal(stalls, 0);
  });
});
