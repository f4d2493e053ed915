import type { Client } from '../auth/authenticator.ts';
import { type AppError, appError, toAppError } from '../errors/app-error.ts';
import { sizeText } from '../errors/messages.ts';
import { LEADING_BYTES } from '../file-types/file-types.ts';
import { BufferList } from '../http/buffers.ts';
import type { LogFields } from '../http/log-fields.ts';
import type { InitiateResponse } from './direct-uploads.ts';
import { initiateUpload, type OfferedHead } from './initiate-upload.ts';
import { type FilePart, SETTLED } from './upload.ts';
import type { UploadContext } from './upload-context.ts';
import { parseUploadFields, type RawFields } from './upload-fields.ts';

/** What is kept of a file of which only the head was asked for. */
const MAX_HEAD_BYTES = Math.max(LEADING_BYTES, 64 * 1024);

/** A form that asks for a signed URL and brings the head of the file. Settles once. */
export class HeadForm {
  readonly #settled = new AbortController();
  /** Aborted as soon as the outcome is settled. */
  readonly signal: AbortSignal = this.#settled.signal;
  readonly #context: UploadContext;
  readonly #client: Client;
  readonly #facts: LogFields;
  readonly #response = Promise.withResolvers<InitiateResponse>();
  #raw: RawFields = {};
  #offered: OfferedHead | null = null;

  /** @param facts Where the form writes what the log needs. */
  constructor(context: UploadContext, client: Client, facts: LogFields = {}) {
    this.#context = context;
    this.#client = client;
    this.#facts = facts;
    this.#response.promise.catch(() => {});
  }

  /** The outcome; rejects with the AppError to respond. */
  get response(): Promise<InitiateResponse> {
    return this.#response.promise;
  }

  fail(error: AppError): void {
    if (this.signal.aborted) return;
    this.#settled.abort(SETTLED);
    this.#response.reject(error);
  }

  fieldsChanged(raw: RawFields): void {
    this.#raw = raw;
  }

  async receiveFile({ filename, declaredType, stream }: FilePart): Promise<void> {
    try {
      if (this.#offered !== null)
        throw appError('TOO_MANY_FILES', { params: { max: 1 }, details: { max: 1 } });
      const chunks = new BufferList();
      let bytes = 0;
      const keep = (chunk: Buffer): undefined => {
        if (bytes < MAX_HEAD_BYTES) chunks.push(chunk);
        bytes += chunk.length;
        const limit = MAX_HEAD_BYTES * 2;
        // Whoever sends the whole file here has mistaken the address.
        if (bytes > limit)
          throw appError('BODY_TOO_LARGE', { params: { limit: sizeText(limit) }, details: { limit } });
      };
      await stream.pump(keep, this.signal);
      this.#offered = { filename, declaredType, head: Buffer.concat(chunks.take()) };
    } catch (error) {
      this.fail(toAppError(error));
      stream.discard();
      throw error;
    }
  }

  finish(): void {
    if (this.signal.aborted) return;
    this.#initiate().catch((error) => this.fail(toAppError(error)));
  }

  async #initiate(): Promise<void> {
    const fields = parseUploadFields(this.#raw, this.#context.attachmentUrlOrigins);
    const request = { client: this.#client, fields, offered: this.#offered, facts: this.#facts };
    const response = await initiateUpload(this.#context, request, this.signal);
    this.#settled.abort(SETTLED);
    this.#response.resolve(response);
  }
}
