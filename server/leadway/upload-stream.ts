import type { ClientRequest, IncomingMessage } from 'node:http';
import { type AppError, appError } from '../errors/app-error.ts';
import { BufferList } from '../http/buffers.ts';
import { freeChunk } from '../http/free-chunk.ts';
import { toConnectionFault } from './leadway-errors.ts';
import { type ProgressWatch, watchProgress } from './progress-watch.ts';
import { isConnected, watchForStaleConnection } from './upstream-agent.ts';

/** What an {@link UploadStream} reports while the body is still on its way. */
export interface UploadStreamEvents {
  /** The connection failed or stalled before the commit. */
  onFailure(error: AppError): void;
  /** The upstream answered before the commit. */
  onEarlyResponse(response: IncomingMessage): void;
}

/** So much is gathered before it is written: fewer, larger system calls are what makes a large upload cheap. */
const GATHER_BYTES = 256 * 1024;

/**
 * An upstream request whose body is written as it arrives and which the upstream can't take for complete
 * before {@link commit}: the last bytes are held back, or the final chunk is.
 */
export class UploadStream {
  readonly #request: ClientRequest;
  readonly #watch: ProgressWatch;
  readonly #events: UploadStreamEvents;
  #committed: PromiseWithResolvers<IncomingMessage> | null = null;
  #drained: PromiseWithResolvers<void> | null = null;
  #isResponded = false;
  #isClosed = false;
  #hasStalled = false;
  #wasStale = false;
  readonly #gathered = new BufferList();
  #flushing: NodeJS.Immediate | undefined;
  readonly #startedAt = performance.now();

  constructor(request: ClientRequest, timeoutMs: number, events: UploadStreamEvents) {
    this.#request = request;
    this.#events = events;
    this.#watch = watchProgress(request, timeoutMs, () => this.#onStall());
    request.on('drain', () => this.#onDrain());
    request.once('response', (response) => this.#onResponse(response));
    const isStale = watchForStaleConnection(request);
    request.on('error', (error) => {
      const fault = toConnectionFault(error, isConnected(request));
      this.#wasStale = fault.code === 'UPSTREAM_ABORTED' && !this.#isClosed && isStale();
      this.#onError(fault);
    });
    request.once('close', () => this.#watch.stop());
  }

  /** Milliseconds since the request was opened. */
  get ageMs(): number {
    return performance.now() - this.#startedAt;
  }

  /** The upstream stopped making progress, so whatever error followed is a timeout. */
  get hasStalled(): boolean {
    return this.#hasStalled;
  }

  /** The request failed because the server was closing the reused connection that it went out on. */
  get wasStale(): boolean {
    return this.#wasStale;
  }

  /**
   * Sends more of the body; `chunk` belongs to the stream from then on and is emptied once it has gone out. A
   * promise means: wait for it before sending more.
   */
  write(chunk: Buffer): Promise<void> | undefined {
    if (this.#isResponded || this.#isClosed) return undefined;
    this.#gathered.push(chunk);
    // Before there is a connection, the request says how much may wait for it.
    const isConnected = this.#request.socket?.connecting === false;
    if (!isConnected || this.#gathered.bytes >= GATHER_BYTES) this.#flush();
    // What came in one turn of the event loop goes out at its end, so gathering delays nothing.
    else this.#flushing ??= setImmediate(() => this.#flush());
    return this.#drained?.promise;
  }

  /** Whether every byte of the body has been handed to the kernel. */
  get hasSentAll(): boolean {
    return this.#request.writableFinished;
  }

  /** Sends the last pieces, so that the upstream has the whole request; resolves to its response. */
  commit(pieces: readonly Buffer[]): Promise<IncomingMessage> {
    this.#committed = Promise.withResolvers();
    if (this.#isResponded || this.#isClosed) {
      this.#committed.reject(appError('UPSTREAM_ABORTED'));
    } else {
      this.#inOneWrite(() => {
        this.#flush();
        for (const piece of pieces.slice(0, -1)) this.#request.write(piece);
        this.#request.end(pieces.at(-1));
      });
      this.#watch.setWaiting(true);
    }
    return this.#committed.promise;
  }

  /** Writes what was gathered. Only what the kernel did not take makes the writer wait. */
  #flush(): void {
    const chunks = this.#takeGathered();
    if (chunks.length === 0 || this.#isResponded || this.#isClosed) return;
    let isFull = false;
    this.#inOneWrite(() => {
      for (const chunk of chunks) isFull = !this.#request.write(chunk, freeing(chunk)) || isFull;
    });
    // A write says "full" by its size alone; a drain follows it even when all of it has already gone out.
    if (!isFull || this.#request.socket?.writableLength === 0) return;
    this.#watch.setWaiting(true);
    this.#drained ??= Promise.withResolvers();
  }

  #takeGathered(): readonly Buffer[] {
    const chunks = this.#gathered.take();
    clearImmediate(this.#flushing);
    this.#flushing = undefined;
    return chunks;
  }

  /** Has everything that `write` writes go out in one system call; chunk sizes would be calls of their own. */
  #inOneWrite(write: () => void): void {
    const { socket } = this.#request;
    socket?.cork();
    write();
    socket?.uncork();
  }

  /** Cuts the connection. Before the commit the upstream has got no complete request, and never will. */
  destroy(): void {
    this.#isClosed = true;
    this.#takeGathered();
    this.#watch.stop();
    this.#releaseWriter();
    this.#request.destroy();
  }

  /** The upstream's response has been read; the connection may serve another request if all of this one went out. */
  finish(): void {
    this.#watch.stop();
    if (!this.#request.writableFinished) this.#request.destroy();
  }

  #onDrain(): void {
    if (this.#committed === null) this.#watch.setWaiting(false);
    this.#releaseWriter();
  }

  #onResponse(response: IncomingMessage): void {
    this.#isResponded = true;
    // Whoever reads the response gets its errors; until then they must not end the process.
    response.on('error', () => {});
    if (this.#committed !== null) {
      this.#committed.resolve(response);
      return;
    }
    this.#watch.setWaiting(true);
    this.#releaseWriter();
    this.#events.onEarlyResponse(response);
  }

  #onStall(): void {
    this.#hasStalled = true;
    if (this.#isResponded) this.#request.destroy();
    else this.#onError(appError(isConnected(this.#request) ? 'UPSTREAM_TIMEOUT' : 'UPSTREAM_UNREACHABLE'));
  }

  #onError(error: AppError): void {
    if (this.#isClosed || this.#isResponded) return;
    this.destroy();
    if (this.#committed !== null) this.#committed.reject(error);
    else this.#events.onFailure(error);
  }

  #releaseWriter(): void {
    this.#drained?.resolve();
    this.#drained = null;
  }
}

/** A callback of a write that frees what was written. After an error, the kernel may still be reading it. */
function freeing(chunk: Buffer): (error?: Error | null) => void {
  return (error) => {
    if (!error) freeChunk(chunk);
  };
}
