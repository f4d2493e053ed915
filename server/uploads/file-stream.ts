import { EventEmitter } from 'node:events';
import type { Readable } from 'node:stream';
import { appError } from '../errors/app-error.ts';
import { LEADING_BYTES } from '../file-types/file-types.ts';
import { joinBuffers } from '../http/buffers.ts';

/** The beginning of a file. */
export interface FileStart {
  readonly leadingBytes: Buffer;
  /** Whether the file has no more bytes. */
  readonly isWhole: boolean;
}

/** How many bytes may wait before the sender is paused. */
const MAX_WAITING_BYTES = 64 * 1024;

/** Gets the bytes. */
interface Reader {
  /** Await the promise, if there is one, before the next chunk. */
  onChunk(chunk: Buffer): Promise<void> | undefined;
  end(): void;
  fail(error: unknown): void;
}

/**
 * The bytes of one file, read in two steps: the leading bytes, which are checked, and the rest. Bytes wait while nothing
 * reads.
 *
 * A `Readable` costs several events and event-loop turns per chunk. Extends EventEmitter only because multer attaches an
 * error listener.
 */
export class FileStream extends EventEmitter {
  readonly #onWanted: () => void;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #reader: Reader | null = null;
  #isHeldBack = false;
  #hasEnded = false;
  #isDiscarded = false;

  /**
   * @param onWanted Called when {@link push} may be called again after it returned false. May also be called at other
   *   times.
   */
  constructor(onWanted: () => void) {
    super();
    this.#onWanted = onWanted;
  }

  /** The bytes of `source`, which is paused while too many wait. */
  static of(source: Readable): FileStream {
    const stream = new FileStream(() => {
      if (source.isPaused()) source.resume();
    });
    source.on('data', (chunk: Buffer) => {
      if (!stream.push(chunk)) source.pause();
    });
    source.once('end', () => stream.end());
    return stream;
  }

  /** Bytes that have not been read. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** Takes the next bytes. If false, wait for `onWanted` before pushing more. */
  push(chunk: Buffer): boolean {
    if (this.#isDiscarded) return true;
    if (this.#reader !== null && !this.#isHeldBack && this.#waiting.length === 0) {
      this.#hand(this.#reader, chunk);
    } else {
      this.#waiting.push(chunk);
      this.#waitingBytes += chunk.length;
    }
    return this.#waitingBytes < MAX_WAITING_BYTES;
  }

  /** There are no more bytes. */
  end(): void {
    this.#hasEnded = true;
    this.#flow();
  }

  /** Drops everything that still arrives. A reader is not notified. */
  discard(): void {
    this.#isDiscarded = true;
    this.#reader = null;
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#onWanted();
  }

  /** The same, as multer calls it. */
  resume(): void {
    this.discard();
  }

  /**
   * Reads the leading bytes.
   *
   * @throws AppError when `signal` is aborted first.
   */
  readStart(signal: AbortSignal): Promise<FileStart> {
    const chunks: Buffer[] = [];
    let bytes = 0;
    return this.#read<FileStart>(signal, (resolve) => {
      const finish = (isWhole: boolean): void => {
        resolve({ leadingBytes: joinBuffers(chunks), isWhole });
      };
      return {
        onChunk(chunk) {
          chunks.push(chunk);
          bytes += chunk.length;
          if (bytes >= LEADING_BYTES) finish(false);
          return undefined;
        },
        end: () => finish(true),
      };
    });
  }

  /**
   * Passes every chunk to `onChunk`, which may return a promise to wait for. Resolves at the end.
   *
   * @throws what `onChunk` throws; AppError when `signal` is aborted first.
   */
  pump(onChunk: Reader['onChunk'], signal: AbortSignal): Promise<void> {
    return this.#read<void>(signal, (resolve) => ({ onChunk, end: resolve }));
  }

  #read<Result>(
    signal: AbortSignal,
    createReader: (resolve: (result: Result) => void) => Omit<Reader, 'fail'>,
  ): Promise<Result> {
    if (signal.aborted) return Promise.reject(appError('UPSTREAM_ABORTED'));
    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    const onAbort = (): void => {
      this.#reader = null;
      reject(appError('UPSTREAM_ABORTED'));
    };
    signal.addEventListener('abort', onAbort);
    const stop = (): void => {
      this.#reader = null;
      signal.removeEventListener('abort', onAbort);
    };
    const { onChunk, end } = createReader((result) => {
      stop();
      resolve(result);
    });
    const fail = (error: unknown): void => {
      stop();
      reject(error);
    };
    this.#reader = { onChunk, end, fail };
    this.#flow();
    return promise;
  }

  #flow(): void {
    while (this.#reader !== null && !this.#isHeldBack) {
      const chunk = this.#waiting.shift();
      if (chunk === undefined) break;
      this.#waitingBytes -= chunk.length;
      this.#hand(this.#reader, chunk);
    }
    if (this.#waiting.length > 0) return;
    if (!this.#hasEnded) this.#onWanted();
    else if (!this.#isHeldBack) this.#reader?.end();
  }

  #hand(reader: Reader, chunk: Buffer): void {
    try {
      const wait = reader.onChunk(chunk);
      if (wait === undefined) return;
      this.#isHeldBack = true;
      wait.then(
        () => {
          this.#isHeldBack = false;
          this.#flow();
        },
        (error: unknown) => {
          this.#isHeldBack = false;
          reader.fail(error);
        },
      );
    } catch (error) {
      reader.fail(error);
    }
  }
}
