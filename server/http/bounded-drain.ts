import type { IncomingMessage, ServerResponse } from 'node:http';

/** How much of a body is read and thrown away after its request has been answered. */
export interface DrainLimits {
  readonly maxBytes: number;
  readonly idleMs: number;
  readonly totalMs: number;
}

/** nginx's lingering close is the model: long enough for a caller to read the answer, bounded in all ways. */
export const DRAIN_LIMITS: DrainLimits = { maxBytes: 2 * 1024 * 1024, idleMs: 5_000, totalMs: 30_000 };

/**
 * A success may come before the body has: of a file that goes by signed URL only the head is wanted. Whoever
 * sends all of it nevertheless has to be let, since most clients take a cut for a failure.
 */
const SUCCESS_DRAIN_LIMITS: DrainLimits = {
  maxBytes: 128 * 1024 * 1024,
  idleMs: 5_000,
  totalMs: 15 * 60_000,
};

/**
 * Once `res` has been sent while the body of `req` is still arriving, reads on and throws away within
 * `limits`, then closes the socket. Closing at once would reset the connection, and most HTTP clients lose
 * an answer that a reset overtakes.
 */
export function drainAfterAnswer(req: IncomingMessage, res: ServerResponse, limits?: DrainLimits): void {
  res.once('finish', () => {
    if (req.complete || req.destroyed) return;
    drain(req, limits ?? (res.statusCode < 400 ? SUCCESS_DRAIN_LIMITS : DRAIN_LIMITS));
  });
}

function drain(req: IncomingMessage, limits: DrainLimits): void {
  const { socket } = req;
  const startedAt = performance.now();
  const startBytes = socket.bytesRead;
  let lastBytes = startBytes;
  let lastProgressAt = startedAt;

  // The bytes are counted at the socket, since multer and Node both read the request to its end by
  // themselves; a `data` listener here would compete with them.
  const check = (): void => {
    const now = performance.now();
    if (socket.bytesRead !== lastBytes) {
      lastBytes = socket.bytesRead;
      lastProgressAt = now;
    }
    const spent =
      lastBytes - startBytes > limits.maxBytes ||
      now - lastProgressAt >= limits.idleMs ||
      now - startedAt >= limits.totalMs;
    if (spent) close();
  };

  const timer = setInterval(check, Math.min(250, limits.idleMs));
  timer.unref();
  const onData = (): void => {
    if (socket.bytesRead - startBytes > limits.maxBytes) close();
  };
  const close = (): void => {
    stop();
    // The answer is the kernel's since `finish`. Ending first would read on for a turn, which can be as much again.
    socket.destroy();
  };
  const stop = (): void => {
    clearInterval(timer);
    req.off('data', onData);
    req.off('end', stop);
    socket.off('close', stop);
  };
  req.once('end', stop);
  socket.once('close', stop);
  req.on('data', onData);
  req.resume();
}
