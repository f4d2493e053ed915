import type { ClientRequest, IncomingMessage } from 'node:http';
import { AppError, appError, toAppError } from '../errors/app-error.ts';
import { BodyOverflowError } from '../http/body.ts';
import { BufferList, releaseBuffer } from '../http/buffers.ts';
import { type StallWatch, watchStall } from '../http/byte-progress.ts';
import type { LogFields } from '../http/log-fields.ts';
import { isConnected } from './agent.ts';
import { toConnectionFault } from './errors.ts';

/** What an {@link UploadRequest} takes. */
export interface UploadRequestOptions<Result> {
  /** Opened, with its headers. */
  readonly request: ClientRequest;
  readonly timeoutMs: number;
  readonly log: LogFields;
  /** Reads a response as far as it is wanted. */
  readonly read: (response: IncomingMessage) => Promise<Result>;
  /** The error for a response that came before the commit. */
  readonly toEarlyError: (result: Result) => AppError;
  /** Called once if the upload fails before {@link UploadRequest.commit}. */
  readonly fail: (error: AppError) => void;
}

/** How much is gathered before it is written: fewer, larger system calls make large uploads cheap. */
const GATHER_BYTES = 256 * 1024;

/**
 * A request to Leadway or storage whose body is written as it arrives and can't look complete before {@link commit}:
 * the last bytes are held back, or the final chunk is.
 */
export class UploadRequest<Result> {
  readonly #options: UploadRequestOptions<Result>;
  readonly #request: ClientRequest;
  readonly #watch: StallWatch;
  readonly #gathered = new BufferList();
  readonly #openedAt = performance.now();
  #flushing: NodeJS.Immediate | undefined;
  #drained: PromiseWithResolvers<void> | null = null;
  #committed: PromiseWithResolvers<Result> | null = null;
  /** What became of a response that came before the commit. */
  #early: Promise<AppError> | null = null;
  #isResponded = false;
  #isClosed = false;
  #hasStalled = false;

  constructor(options: UploadRequestOptions<Result>) {
    const { request, timeoutMs } = options;
    this.#options = options;
    this.#request = request;
    this.#watch = watchStall(request, timeoutMs, () => this.#onStall());
    request.on('drain', () => this.#onDrain());
    request.once('response', (response) => this.#onResponse(response));
    request.on('error', (error) => this.#onError(toConnectionFault(error, isConnected(request))));
    request.once('close', () => this.#onClose());
  }

  /**
   * Sends more of the body; `chunk` belongs to the request from then on and is emptied once it is sent. A promise means:
   * wait for it before sending more.
   */
  write(chunk: Buffer): Promise<void> | undefined {
    if (this.#isResponded || this.#isClosed) return undefined;
    this.#gathered.push(chunk);
    // Before there is a connection, the request says how much may wait for it.
    const hasSocket = this.#request.socket?.connecting === false;
    if (!hasSocket || this.#gathered.bytes >= GATHER_BYTES) this.#flush();
    // What arrives in one turn of the event loop is sent at its end, so gathering delays nothing.
    else this.#flushing ??= setImmediate(() => this.#flush());
    return this.#drained?.promise;
  }

  /**
   * Sends the last pieces, after which the upstream has the whole request. Resolves to its response.
   *
   * @throws AppError when no usable response comes.
   */
  async commit(pieces: readonly Buffer[]): Promise<Result> {
    if (this.#early !== null) throw await this.#early;
    if (this.#isClosed) throw appError('UPSTREAM_ABORTED');
    this.#committed = Promise.withResolvers();
    this.#inOneWrite(() => {
      this.#flush();
      for (const piece of pieces.slice(0, -1)) this.#request.write(piece);
      this.#request.end(pieces.at(-1));
    });
    this.#watch.setWaiting(true);
    return this.#committed.promise;
  }

  /** Cuts the connection. Before the commit the upstream has no complete request, and never will. */
  destroy(): void {
    this.#isClosed = true;
    this.#takeGathered();
    this.#watch.stop();
    this.#releaseWriter();
    this.#request.destroy();
    this.#committed?.reject(appError('UPSTREAM_ABORTED')); // unless it has a response
  }

  /** Writes what was gathered. The writer waits only if the kernel did not take everything. */
  #flush(): void {
    const chunks = this.#takeGathered();
    if (chunks.length === 0 || this.#isResponded || this.#isClosed) return;
    let isFull = false;
    this.#inOneWrite(() => {
      for (const chunk of chunks) isFull = !this.#request.write(chunk, freeing(chunk)) || isFull;
    });
    // `write` judges by size alone; a drain follows even when everything has already been sent.
    if (!isFull || this.#request.socket?.writableLength === 0) return;
    this.#watch.setWaiting(true);
    this.#drained ??= Promise.withResolvers();
  }

  #takeGathered(): readonly Buffer[] {
    const chunks = this.#gathered.drain();
    clearImmediate(this.#flushing);
    this.#flushing = undefined;
    return chunks;
  }

  /** Sends everything that `write` writes in one system call; chunk sizes would be separate calls. */
  #inOneWrite(write: () => void): void {
    const { socket } = this.#request;
    socket?.cork();
    write();
    socket?.uncork();
  }

  #onDrain(): void {
    if (this.#committed === null) this.#watch.setWaiting(false);
    this.#releaseWriter();
  }

  #onResponse(response: IncomingMessage): void {
    const { log, toEarlyError, fail } = this.#options;
    this.#isResponded = true;
    // An error ends `read`. Without a listener it would end the process.
    response.on('error', () => {});
    log.upstreamStatus = response.statusCode ?? 0;
    log.upstreamMs = Math.round(performance.now() - this.#openedAt);
    const result = this.#read(response);
    if (this.#committed !== null) {
      result.then(this.#committed.resolve, this.#committed.reject);
      return;
    }
    this.#watch.setWaiting(true);
    this.#releaseWriter();
    this.#early = result.then(toEarlyError).catch(toAppError);
    this.#early.then((error) => {
      this.destroy();
      fail(error);
    });
  }

  async #read(response: IncomingMessage): Promise<Result> {
    try {
      return await this.#options.read(response);
    } catch (error) {
      if (this.#hasStalled) throw appError('UPSTREAM_TIMEOUT', { cause: error });
      if (error instanceof AppError) throw error;
      if (error instanceof BodyOverflowError) throw appError('UPSTREAM_ERROR', { cause: error });
      throw toConnectionFault(error, true);
    } finally {
      this.#watch.stop();
      // The connection may serve another request only if all of this one was sent.
      if (!this.#request.writableFinished) this.#request.destroy();
    }
  }

  #onStall(): void {
    this.#hasStalled = true;
    if (this.#isResponded) this.#request.destroy();
    else this.#onError(appError(isConnected(this.#request) ? 'UPSTREAM_TIMEOUT' : 'UPSTREAM_UNREACHABLE'));
  }

  /** A 101 closes the request with neither a response nor an error. */
  #onClose(): void {
    if (!this.#isClosed && !this.#isResponded) this.#onError(appError('UPSTREAM_ERROR'));
  }

  #onError(error: AppError): void {
    if (this.#isClosed || this.#isResponded) return;
    this.#committed?.reject(error);
    this.destroy();
    if (this.#committed === null) this.#options.fail(error);
  }

  #releaseWriter(): void {
    this.#drained?.resolve();
    this.#drained = null;
  }
}

/** A callback of a write that frees what was written. After an error, the kernel may still be reading it. */
function freeing(chunk: Buffer): (error?: Error | null) => void {
  return (error) => {
    if (!error) releaseBuffer(chunk);
  };
}
