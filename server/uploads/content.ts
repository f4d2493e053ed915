import type { Readable } from 'node:stream';
import { type AppError, toAppError } from '../errors/app-error.ts';
import { sizeMismatch } from '../errors/factories.ts';
import type { LogFields } from '../http/log-fields.ts';
import { FileStream } from './file-stream.ts';
import { IncomingFile } from './incoming-file.ts';
import { RelaySink } from './sinks/relay.ts';
import type { Ticket } from './tickets.ts';
import { SETTLED, type UploadContext } from './upload.ts';

/** Puts the content of one file in storage, to the signed URL of its ticket. It settles once. */
export class ContentUpload {
  readonly #settled = new AbortController();
  readonly #log: LogFields;
  readonly #ticket: Ticket;
  readonly #file: IncomingFile;
  readonly #sink: RelaySink;
  readonly #stored = Promise.withResolvers<void>();

  /**
   * @param contentLength Size of the content in bytes, as announced; null when it is not.
   * @param log Log fields, filled in by the upload.
   */
  constructor(context: UploadContext, ticket: Ticket, contentLength: number | null, log: LogFields) {
    const { filename, contentType } = ticket;
    const { agent, timeoutMs } = context.leadway.options;
    this.#log = Object.assign(log, { files: 1, bytes: 0 });
    this.#ticket = ticket;
    this.#file = new IncomingFile({ name: filename, declaredType: contentType, isMultipart: false }, context);
    this.#file.expectedSize = contentLength;
    this.#sink = new RelaySink({
      agent,
      timeoutMs,
      direct: context.direct,
      signal: this.#settled.signal,
      log,
      fail: (error) => this.fail(error),
      ticketOf: async () => ticket,
      sizeOf: (file) => file.expectedSize,
    });
    this.#stored.promise.catch(() => {});
  }

  /** Resolves when storage has the whole file. Rejects with the AppError to respond with. */
  get stored(): Promise<void> {
    return this.#stored.promise;
  }

  /** Ends the upload with `error`, unless it has settled. Storage has no complete object then. */
  fail(error: AppError): void {
    if (this.#settled.signal.aborted) return;
    this.#end();
    this.#sink.destroy();
    this.#stored.reject(error);
  }

  /** Reads the content from `source` and passes it on, unless the upload fails. */
  receive(source: Readable): void {
    const stream = FileStream.of(source);
    this.#receive(stream).then(
      () => {
        this.#end();
        this.#stored.resolve();
      },
      (error) => {
        this.fail(toAppError(error));
        stream.discard();
      },
    );
  }

  async #receive(stream: FileStream): Promise<void> {
    const { signal } = this.#settled;
    const { leadingBytes, isWhole } = await stream.readStart(signal);
    await this.#file.checkLeadingBytes(leadingBytes, isWhole ? 'whole' : 'partial');
    await this.#sink.begin(this.#file, []);
    await this.#receiveChunk(leadingBytes);
    if (!isWhole) await stream.pump((chunk) => this.#receiveChunk(chunk), signal);
    await this.#file.verify();
    const { fileSize } = this.#ticket;
    if (fileSize !== null && this.#file.size !== fileSize) throw sizeMismatch(fileSize, this.#file.size);
    await this.#sink.end();
  }

  #receiveChunk(chunk: Buffer): Promise<void> | undefined {
    const observed = this.#file.update(chunk);
    this.#log.bytes = this.#file.size;
    const { fileSize } = this.#ticket;
    if (fileSize !== null && this.#file.size > fileSize) throw sizeMismatch(fileSize, this.#file.size);
    const pass = () => this.#sink.write(this.#file, chunk);
    return observed === undefined ? pass() : observed.then(pass);
  }

  #end(): void {
    this.#settled.abort(SETTLED);
    this.#file.destroy();
  }
}
