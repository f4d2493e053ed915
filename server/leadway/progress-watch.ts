import type { Socket } from 'node:net';

/** A running watch over the other side of a connection. */
export interface ProgressWatch {
  /** Tells whether it is the other side's turn: it has bytes to take or a response to give. */
  setWaiting(isItsTurn: boolean): void;
  stop(): void;
}

/** A request to an upstream or a response to a client. */
interface Message {
  readonly socket: Socket | null;
}

/**
 * Calls `onStall` once when the other side of `message` makes no progress for `timeoutMs` while it is its turn:
 * it neither takes bytes nor sends any. A slow client never causes it, since then it is not its turn.
 */
export function watchProgress(message: Message, timeoutMs: number, onStall: () => void): ProgressWatch {
  let waiting = false;
  let since = 0;
  let mark = 0;
  const progressOf = (): number =>
    message.socket ? message.socket.bytesWritten + message.socket.bytesRead - pendingOf(message) : 0;
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
    setWaiting(isItsTurn) {
      if (isItsTurn && !waiting) {
        since = performance.now();
        mark = progressOf();
      }
      waiting = isItsTurn;
    },
    stop: () => clearInterval(timer),
  };
}

/** `bytesWritten` counts what is still queued in the process; only what the kernel took is progress. */
function pendingOf(message: Message): number {
  return message.socket?.writableLength ?? 0;
}
