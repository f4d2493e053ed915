import type { Readable } from 'node:stream';
import { appError } from '../errors/app-error.ts';
import { HEAD_BYTES } from '../file-types/file-types.ts';
import type { Ending } from '../http/ending.ts';

/** The beginning of a file. */
export interface FileHead {
  readonly head: Buffer;
  /** Whether the file has no more than that. */
  readonly isWhole: boolean;
}

/**
 * Reads from `stream` until its head is there, then pauses it.
 *
 * @throws AppError when `over` comes first.
 */
export function readHead(stream: Readable, over: Ending): Promise<FileHead> {
  if (over.isOver) return Promise.reject(appError('UPSTREAM_ABORTED'));
  const { promise, resolve, reject } = Promise.withResolvers<FileHead>();
  const chunks: Buffer[] = [];
  let bytes = 0;
  const finish = (isWhole: boolean): void => {
    stop();
    const [first] = chunks;
    resolve({ head: chunks.length === 1 && first ? first : Buffer.concat(chunks), isWhole });
  };
  const onData = (chunk: Buffer): void => {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes < HEAD_BYTES) return;
    stream.pause();
    finish(false);
  };
  const onEnd = (): void => finish(true);
  const stop = onceOver(
    over,
    () => {
      stream.off('data', onData);
      stream.off('end', onEnd);
    },
    reject,
  );
  stream.on('data', onData);
  stream.once('end', onEnd);
  return promise;
}

/**
 * Hands every chunk of `stream` to `take`, which may ask to wait by returning a promise. Resolves at the end
 * of the stream.
 *
 * @throws what `take` throws; AppError when `over` comes first.
 */
export function pump(
  stream: Readable,
  take: (chunk: Buffer) => Promise<void> | undefined,
  over: Ending,
): Promise<void> {
  if (over.isOver) return Promise.reject(appError('UPSTREAM_ABORTED'));
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const fail = (error: unknown): void => {
    stop();
    reject(error);
  };
  const onData = (chunk: Buffer): void => {
    try {
      const wait = take(chunk);
      if (wait === undefined) return;
      stream.pause();
      wait.then(() => stream.resume(), fail);
    } catch (error) {
      fail(error);
    }
  };
  const onEnd = (): void => {
    stop();
    resolve();
  };
  const stop = onceOver(
    over,
    () => {
      stream.off('data', onData);
      stream.off('end', onEnd);
    },
    reject,
  );
  // A paused stream still ends when its last chunk has been read, so the end may have come with the head.
  if (stream.readableEnded) {
    onEnd();
    return promise;
  }
  stream.on('data', onData);
  stream.once('end', onEnd);
  stream.resume();
  return promise;
}

/** Calls `release` once: when the returned function is called, or when `over` comes, which also rejects. */
function onceOver(over: Ending, release: () => void, reject: (error: unknown) => void): () => void {
  const forget = over.onEnd(() => {
    release();
    reject(appError('UPSTREAM_ABORTED'));
  });
  return () => {
    forget();
    release();
  };
}
