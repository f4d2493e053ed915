import type { ClientRequest, IncomingMessage } from 'node:http';
import { type AppError, appError } from '../errors/app-error.ts';
import { toConnectionFault } from './leadway-errors.ts';
import { type ProgressWatch, watchProgress } from './progress-watch.ts';

/** What an {@link UploadStream} reports while the body is still on its way. */
export interface UploadStreamEvents {
  /** The connection failed or stalled before the commit. */
  onFailure(error: AppError): void;
  /** The upstream answered before the commit. */
  onEarlyResponse(response: IncomingMessage): void;
}

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
  #isAnswered = false;
  #isClosed = false;
  #hasStalled = false;
  readonly #startedAt = performance.now();

  constructor(request: ClientRequest, timeoutMs: number, events: UploadStreamEvents) {
    this.#request = request;
    this.#events = events;
    this.#watch = watchProgress(request, timeoutMs, () => this.#onStall());
    request.on('drain', () => this.#onDrain());
    request.once('response', (response) => this.#onResponse(response));
    request.on('error', (error) => this.#onError(toConnectionFault(error)));
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

  /** Sends more of the body. A promise means: wait for it before sending more. */
  write(chunk: Buffer): Promise<void> | undefined {
    if (this.#isAnswered || this.#isClosed || this.#request.write(chunk)) return undefined;
    this.#watch.setWaiting(true);
    this.#drained ??= Promise.withResolvers();
    return this.#drained.promise;
  }

  /** Sends the last bytes, so that the upstream has the whole request; resolves to its answer. */
  commit(lastBytes: Buffer): Promise<IncomingMessage> {
    this.#committed = Promise.withResolvers();
    if (this.#isAnswered || this.#isClosed) {
      this.#committed.reject(appError('UPSTREAM_ABORTED'));
    } else {
      this.#request.end(lastBytes);
      this.#watch.setWaiting(true);
    }
    return this.#committed.promise;
  }

  /** Cuts the connection. Before the commit the upstream has got no complete request, and never will. */
  destroy(): void {
    this.#isClosed = true;
    this.#watch.stop();
    this.#releaseWriter();
    this.#request.destroy();
  }

  /** The upstream's answer has been read; the connection may serve another request if all of this one went out. */
  finish(): void {
    this.#watch.stop();
    if (!this.#request.writableFinished) this.#request.destroy();
  }

  #onDrain(): void {
    if (this.#committed === null) this.#watch.setWaiting(false);
    this.#releaseWriter();
  }

  #onResponse(response: IncomingMessage): void {
    this.#isAnswered = true;
    // Whoever reads the answer gets its errors; until then they must not end the process.
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
    if (this.#isAnswered) this.#request.destroy();
    else this.#onError(appError('UPSTREAM_TIMEOUT'));
  }

  #onError(error: AppError): void {
    if (this.#isClosed || this.#isAnswered) return;
    this.destroy();
    if (this.#committed !== null) this.#committed.reject(error);
    else this.#events.onFailure(error);
  }

  #releaseWriter(): void {
    this.#drained?.resolve();
    this.#drained = null;
  }
}
