import { Readable } from 'node:stream';
import { type AppError, toAppError } from '../errors/app-error.ts';
import type { TypePolicy } from '../file-types/file-types.ts';
import { FileStream } from './file-stream.ts';
import { IncomingFile } from './incoming-file.ts';
import { overLimit } from './mode.ts';
import type { Ticket } from './tickets.ts';
import { sizeMismatch } from './upload-errors.ts';

/** What a {@link ContentGate} tells while content passes. */
export interface GateEvents {
  /** The content was rejected, or its sender left; storage must not get its end. */
  onRejected(error: AppError): void;
  /** Whether storage is holding the content up. */
  onBlocked(isBlocked: boolean): void;
}

/**
 * What is read from it is the content of a relayed file, checked against its ticket. The last chunk comes
 * out only after everything was found right, so that storage has no complete object of a rejected file.
 */
export class ContentGate extends Readable {
  readonly #source: FileStream;
  readonly #ticket: Ticket;
  readonly #file: IncomingFile;
  readonly #events: GateEvents;
  readonly #closed = new AbortController();
  #heldBack: Buffer | null = null;
  #wanted: PromiseWithResolvers<void> | null = null;

  constructor(source: Readable, ticket: Ticket, policy: TypePolicy, events: GateEvents) {
    super({ highWaterMark: 64 * 1024 });
    const { filename, contentType } = ticket;
    this.#source = FileStream.of(source);
    this.#ticket = ticket;
    this.#events = events;
    this.#file = new IncomingFile({ name: filename, declaredType: contentType, isMultipart: false }, policy);
  }

  /** Bytes that have come so far. */
  get size(): number {
    return this.#file.size;
  }

  /**
   * Reads the head and judges it; content flows only after that.
   *
   * @throws AppError why the content is rejected.
   */
  async open(): Promise<void> {
    const { head, isWhole } = await this.#source.readHead(this.#closed.signal);
    await this.#file.admit(head, isWhole ? 'whole' : 'part');
    this.#pass(head);
    this.#flow(isWhole).catch((error) => {
      if (!this.#closed.signal.aborted) this.#events.onRejected(toAppError(error));
    });
  }

  override _read(): void {
    this.#wanted?.resolve();
    this.#wanted = null;
    this.#events.onBlocked(false);
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#closed.abort();
    this.#source.discard();
    callback(error);
  }

  async #flow(isWhole: boolean): Promise<void> {
    if (!isWhole) await this.#source.pump((chunk) => this.#pass(chunk), this.#closed.signal);
    await this.#file.assertSound();
    const { fileSize } = this.#ticket;
    if (fileSize !== null && this.size !== fileSize) throw sizeMismatch(fileSize, this.size);
    this.push(this.#heldBack);
    this.push(null);
    this.#events.onBlocked(true);
  }

  #pass(chunk: Buffer): Promise<void> | undefined {
    this.#file.pass(chunk);
    const { fileSize, maxFileSize, channel } = this.#ticket;
    if (fileSize !== null && this.size > fileSize) throw sizeMismatch(fileSize, this.size);
    if (this.size > maxFileSize) throw overLimit(maxFileSize, channel);
    const previous = this.#heldBack;
    this.#heldBack = chunk;
    if (previous === null || this.push(previous)) return undefined;
    this.#events.onBlocked(true);
    this.#wanted ??= Promise.withResolvers();
    return this.#wanted.promise;
  }
}
