import type { ClientRequest } from 'node:http';

/** A running watch over an upstream request. */
export interface ProgressWatch {
  /** Tells whether it is the upstream's turn: it has bytes to take or an answer to give. */
  setWaiting(isUpstreamsTurn: boolean): void;
  stop(): void;
}

/**
 * Calls `onStall` once when the upstream of `request` makes no progress for `timeoutMs` while it is its turn:
 * it neither takes bytes nor sends any. A slow caller never causes it, since then it is not its turn.
 */
export function watchProgress(request: ClientRequest, timeoutMs: number, onStall: () => void): ProgressWatch {
  let waiting = false;
  let since = 0;
  let mark = 0;
  const progressOf = (): number =>
    request.socket ? request.socket.bytesWritten + request.socket.bytesRead - pendingOf(request) : 0;
  const timer = setInterval(
    () => {
      if (!waiting) return;
      const now = performance.now();
      const progress = progressOf();
      if (progress !== mark) {
        mark = progress;
        since = now;
      } else if (now - since >= timeoutMs) {
        clearInterval(timer);
        onStall();
      }
    },
    Math.min(1_000, Math.max(20, timeoutMs / 4)),
  );
  timer.unref();
  return {
    setWaiting(isUpstreamsTurn) {
      if (isUpstreamsTurn && !waiting) {
        since = performance.now();
        mark = progressOf();
      }
      waiting = isUpstreamsTurn;
    },
    stop: () => clearInterval(timer),
  };
}

/** `bytesWritten` counts what is still queued in the process; only what the kernel took is progress. */
function pendingOf(request: ClientRequest): number {
  return request.socket?.writableLength ?? 0;
}
