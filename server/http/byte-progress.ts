import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { onResponseEnd } from './response-end.ts';

/** The bytes that have arrived on `socket`. */
export function receivedBytes(socket: Socket): number {
  return socket.bytesRead;
}

/** The bytes that the kernel has taken: those that are queued in the process are not progress. */
export function sentBytes(socket: Socket): number {
  return socket.bytesWritten - socket.writableLength;
}

/** How far a byte counter has come and how long it has stood still. Sampled, so that a chunk costs nothing. */
export class ByteProgress {
  readonly #startBytes: number;
  #bytes: number;
  #progressAt: number;

  /** @param now In milliseconds, here and everywhere else. */
  constructor(bytes: number, now: number) {
    this.#startBytes = bytes;
    this.#bytes = bytes;
    this.#progressAt = now;
  }

  /** Takes a sample of the counter. Returns whether it has changed since the last one. */
  sample(bytes: number, now: number): boolean {
    const hasChanged = bytes !== this.#bytes;
    if (hasChanged) this.restart(bytes, now);
    return hasChanged;
  }

  /** Takes a sample and counts the time without progress from here. */
  restart(bytes: number, now: number): void {
    this.#bytes = bytes;
    this.#progressAt = now;
  }

  /** The time without progress at `now`. */
  idleMs(now: number): number {
    return now - this.#progressAt;
  }

  /** The bytes since the beginning. */
  get bytes(): number {
    return this.#bytes - this.#startBytes;
  }
}

/** How often a watch takes a sample: often enough to keep its timeout to a quarter. */
function sampleEvery(timeoutMs: number, sample: () => void): NodeJS.Timeout {
  return setInterval(sample, Math.min(1_000, Math.max(20, timeoutMs / 4))).unref();
}

/** How slowly a body may arrive. */
export interface BodyPace {
  /** Longest time without a byte, in milliseconds. */
  readonly idleMs: number;
  /** Lowest average rate after `graceMs`, in bytes per second. */
  readonly minBytesPerSecond: number;
  readonly graceMs: number;
  /** Longest time for the whole body, in milliseconds. */
  readonly totalMs: number;
}

/**
 * Takes the place of Node's `requestTimeout`, which ends every upload after five minutes however well it goes. 8 KiB/s is
 * slower than any usable mobile link, and 28 MiB in an hour.
 */
export const BODY_PACE: Omit<BodyPace, 'idleMs'> = {
  minBytesPerSecond: 8 * 1024,
  graceMs: 30_000,
  totalMs: 60 * 60_000,
};

/** Whether `bytes` in `elapsedMs` are below the lowest average rate. */
export function isBelowRate(
  bytes: number,
  elapsedMs: number,
  { graceMs, minBytesPerSecond }: Pick<BodyPace, 'graceMs' | 'minBytesPerSecond'>,
): boolean {
  return elapsedMs >= graceMs && bytes / (elapsedMs / 1000) < minBytesPerSecond;
}

/**
 * The slow-body timeout: calls `onTooSlow` once if the body of `req` arrives more slowly than `pace`, until the body is
 * complete or the response has been sent. Time while we have paused the client (because Leadway is
 * slower) does not count.
 */
export function watchBody(
  req: IncomingMessage,
  res: ServerResponse,
  pace: BodyPace,
  onTooSlow: () => void,
): void {
  const { socket } = req;
  const startedAt = performance.now();
  const progress = new ByteProgress(receivedBytes(socket), startedAt);
  let sampledAt = startedAt;
  let heldBackMs = 0;

  const sample = (): void => {
    const now = performance.now();
    const bytes = receivedBytes(socket);
    if (!progress.sample(bytes, now) && req.isPaused()) {
      heldBackMs += now - sampledAt;
      progress.restart(bytes, now);
    }
    sampledAt = now;
    const totalMs = now - startedAt;
    const isIdle = progress.idleMs(now) >= pace.idleMs;
    const isTooSlow = isBelowRate(progress.bytes, totalMs - heldBackMs, pace);
    if (!isIdle && !isTooSlow && totalMs < pace.totalMs) return;
    stop();
    onTooSlow();
  };
  const timer = sampleEvery(pace.idleMs, sample);
  const stop = (): void => {
    clearInterval(timer);
    req.off('end', stop);
  };
  req.once('end', stop);
  onResponseEnd(res, stop);
}

/** A running watch over the other side of a connection. */
export interface StallWatch {
  /** Whether it is the other side's turn: it has bytes to take or a response to send. */
  setWaiting(isItsTurn: boolean): void;
  stop(): void;
}

/**
 * The stall timeout: calls `onStall` once if the other side of `message`, a request to an upstream or a response to a
 * client, neither takes nor sends a byte for `timeoutMs` while it is its turn. A slow client never makes the upstream
 * look stalled: it is not the upstream's turn then.
 */
export function watchStall(
  message: { readonly socket: Socket | null },
  timeoutMs: number,
  onStall: () => void,
): StallWatch {
  const count = ({ socket } = message): number =>
    socket === null ? 0 : sentBytes(socket) + receivedBytes(socket);
  const progress = new ByteProgress(0, 0);
  let isWaiting = false;
  const timer = sampleEvery(timeoutMs, () => {
    if (!isWaiting) return;
    const now = performance.now();
    if (progress.sample(count(), now) || progress.idleMs(now) < timeoutMs) return;
    clearInterval(timer);
    onStall();
  });
  return {
    setWaiting(isItsTurn) {
      if (isItsTurn && !isWaiting) progress.restart(count(), performance.now());
      isWaiting = isItsTurn;
    },
    stop: () => clearInterval(timer),
  };
}
