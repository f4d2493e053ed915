import type { IncomingMessage, ServerResponse } from 'node:http';
import { onResponseEnd } from './response-end.ts';

/** How slowly a body may arrive. */
export interface BodyPace {
  /** Longest time without a byte, in milliseconds. */
  readonly idleMs: number;
  /** Lowest average rate once `graceMs` of waiting have passed, in bytes per second. */
  readonly minBytesPerSecond: number;
  readonly graceMs: number;
  /** Longest time for the whole body, in milliseconds. */
  readonly totalMs: number;
}

/**
 * Numbers that stand in for Node's `requestTimeout`, which ends every upload after five minutes however well
 * it goes: 8 KiB/s is slower than any usable mobile link, an hour is 28 MiB at that rate.
 */
export const BODY_PACE: Omit<BodyPace, 'idleMs'> = {
  minBytesPerSecond: 8 * 1024,
  graceMs: 30_000,
  totalMs: 60 * 60_000,
};

/**
 * Calls `onTooSlow` once when the body of `req` arrives more slowly than `pace`, until it is complete or
 * answered. Time in which we hold the client back (a paused request: Leadway is slower than the client) does
 * not count.
 *
 * It samples the socket's own byte counter, so a chunk of the body costs nothing.
 */
export function watchBody(
  req: IncomingMessage,
  res: ServerResponse,
  pace: BodyPace,
  onTooSlow: () => void,
): void {
  const { socket } = req;
  const startedAt = performance.now();
  const startBytes = socket.bytesRead;
  let lastBytes = startBytes;
  let sampledAt = startedAt;
  let idleMs = 0;
  let waitedMs = 0;

  const sample = (): void => {
    const now = performance.now();
    const elapsedMs = now - sampledAt;
    sampledAt = now;
    const progressed = socket.bytesRead !== lastBytes;
    lastBytes = socket.bytesRead;
    if (now - startedAt >= pace.totalMs) {
      fail();
      return;
    }
    if (req.isPaused() && !progressed) return;
    waitedMs += elapsedMs;
    idleMs = progressed ? 0 : idleMs + elapsedMs;
    const tooSlow =
      waitedMs >= pace.graceMs && (lastBytes - startBytes) / (waitedMs / 1000) < pace.minBytesPerSecond;
    if (idleMs >= pace.idleMs || tooSlow) fail();
  };
  const fail = (): void => {
    stop();
    onTooSlow();
  };
  const timer = setInterval(sample, Math.min(1_000, Math.max(20, pace.idleMs / 4)));
  timer.unref();
  const stop = (): void => {
    clearInterval(timer);
    req.off('end', stop);
  };
  req.once('end', stop);
  onResponseEnd(res, stop);
}

/** Whether `req` announces a body (RFC 9112, section 6.3). */
export function hasBody(req: IncomingMessage): boolean {
  return req.headers['transfer-encoding'] !== undefined || Number(req.headers['content-length'] ?? 0) > 0;
}
