import { type AppError, appError, toAppError } from '../errors/app-error.ts';
import { LEADING_BYTES } from '../file-types/file-types.ts';
import type { LogFields } from '../http/log-fields.ts';
import { cleanFileName, createNameRegister } from './file-name.ts';
import type { FileStream } from './file-stream.ts';
import { IncomingFile } from './incoming-file.ts';
import { chooseRoute } from './mode.ts';
import type { UploadResponse } from './upload-answer.ts';
import type { UploadContext } from './upload-context.ts';
import { assertRecipient, type RawFields, required } from './upload-fields.ts';
import { UploadKnowledge, type UploadRequest } from './upload-knowledge.ts';
import { UploadTransport } from './upload-transport.ts';

/** A file part, as its bytes begin to come. */
export interface FilePart {
  readonly filename: string;
  readonly declaredType: string | null;
  readonly stream: FileStream;
  /** Where its content begins in the body. */
  readonly offset: number;
}

/** Shared by all uploads: without a reason, each abort makes a DOMException with a stack. */
export const SETTLED = Object.freeze(new Error('the upload has settled'));

/**
 * One upload from its first byte to its response: every check of its fields and files, and the commit that comes last.
 * It settles once; whatever happens after that is thrown away.
 */
export class Upload {
  readonly #settled = new AbortController();
  /** Aborted as soon as the upload has settled. */
  readonly signal: AbortSignal = this.#settled.signal;
  readonly #context: UploadContext;
  readonly #facts: LogFields;
  readonly #response = Promise.withResolvers<UploadResponse>();
  readonly #registerName = createNameRegister();
  readonly #known: UploadKnowledge;
  readonly #transport: UploadTransport;
  /** What `beforeUpload` was told last. */
  #told = '';

  /**
   * @param facts Where the upload writes what the log needs.
   * @throws AppError `INVALID_FIELD`
   */
  constructor(context: UploadContext, request: UploadRequest, facts: LogFields = {}) {
    this.#context = context;
    this.#facts = Object.assign(facts, { files: 0, bytes: 0 });
    this.#known = new UploadKnowledge(context, request);
    this.#noteLocation();
    this.#transport = new UploadTransport(context, this.#known, this.signal, {
      beforeCommit: () => this.#askHook(),
      onSuccess: (response) => this.#settle(response),
      onFailure: (error) => this.fail(error),
      onTiming: ({ status, ms }) => {
        this.#facts.upstreamStatus = status;
        this.#facts.upstreamMs = Math.round(ms);
      },
    });
    this.#response.promise.catch(() => {});
  }

  /** The outcome; rejects with the AppError to respond. */
  get response(): Promise<UploadResponse> {
    return this.#response.promise;
  }

  /** Ends the upload with `error`, unless it has settled. Leadway has got no complete request then. */
  fail(error: AppError): void {
    if (this.signal.aborted) return;
    this.#settled.abort(SETTLED);
    this.#transport.destroy();
    this.#response.reject(error);
  }

  /** Tells that a field has come; `raw` has all that came so far. */
  fieldsChanged(raw: RawFields): void {
    try {
      this.#known.learnFields(raw);
      this.#noteLocation();
      this.#transport.updateLimit();
    } catch (error) {
      this.fail(toAppError(error));
    }
  }

  /**
   * Takes one file from its first byte to its last. Resolves when the next part may come.
   *
   * @throws AppError what ended the upload.
   */
  async receiveFile(part: FilePart): Promise<void> {
    try {
      const file = this.#openFile(part);
      const toCome = this.#known.learnOffset(part.offset);
      await this.#assertForwardable(part.stream);
      const { head, isWhole } = await part.stream.readHead(this.signal);
      await file.admit(head, isWhole ? this.#known.extentOf(head) : 'part');
      this.signal.throwIfAborted();
      this.#facts.contentType ??= file.contentType;
      if (this.#context.hooks.before !== null) await this.#askHook();
      await this.#transport.beginFile(file, toCome, isWhole ? head.length : null);
      await this.#take(file, head);
      if (!isWhole) await part.stream.pump((chunk) => this.#take(file, chunk), this.signal);
      file.isWhole = true;
      await this.#transport.endFile(file);
    } catch (error) {
      this.fail(toAppError(error)); // first: what passes unread is looked at by nobody then
      part.stream.discard();
      throw error;
    }
  }

  /** Tells that the form is complete: the last checks, then the commit. */
  finish(): void {
    this.#finish().catch((error) => this.fail(toAppError(error)));
  }

  #noteLocation(): void {
    const locationId = this.#known.location();
    if (locationId !== null) this.#facts.locationId = locationId;
  }

  #settle(response: UploadResponse): void {
    if (this.signal.aborted) return;
    this.#facts.mode = response.mode;
    this.#settled.abort(SETTLED);
    this.#response.resolve(response);
    if (response.mode === 'direct') return;
    const { mode, uploadedFiles } = response;
    const files = this.#known.files.map(({ name, contentType, size }) => {
      return { name, contentType, size, url: uploadedFiles[name] ?? '' };
    });
    this.#context.hooks.after({ ...this.#known.target(), mode, files });
  }

  /** Calls `beforeUpload`, unless it has seen all that is known now. */
  async #askHook(): Promise<void> {
    const { before } = this.#context.hooks;
    if (before === null) return;
    const files = this.#known.files.map(({ name, contentType }) => ({ name, contentType }));
    const upload = { ...this.#known.target(), files };
    const told = JSON.stringify(upload);
    if (told === this.#told) return;
    this.#told = told;
    await before(upload);
    this.signal.throwIfAborted();
  }

  #openFile({ filename, declaredType }: FilePart): IncomingFile {
    this.#known.assertRoomForFile();
    const claim = { name: this.#registerName(cleanFileName(filename)), declaredType, isMultipart: true };
    const file = new IncomingFile(claim, this.#context.policy);
    this.#known.files.push(file);
    this.#facts.files = this.#known.files.length;
    return file;
  }

  /**
   * Rejects what insists on forward as soon as its size is known to be too large for that. Where the head has
   * come along it is judged first: a file of the wrong type is none for another way either.
   */
  async #assertForwardable(stream: FileStream): Promise<void> {
    if (this.#known.mode !== 'forward') return;
    await null; // what came in one piece with the headers of the part is in the stream then
    if (stream.waitingBytes < LEADING_BYTES) chooseRoute(this.#known.routeFacts(false));
  }

  /** Passes bytes on, or holds them. A promise means: wait for it before the next ones. */
  #take(file: IncomingFile, chunk: Buffer): Promise<void> | undefined {
    file.pass(chunk);
    this.#facts.bytes = (this.#facts.bytes ?? 0) + chunk.length;
    this.#known.assertNotLonger(file);
    return this.#transport.take(file, chunk);
  }

  async #finish(): Promise<void> {
    const [file] = this.#known.files;
    if (file === undefined) throw appError('NO_FILE');
    const { fields, mode } = this.#known;
    // With `auto`, a file that turns out to go direct is asked for its conversation then.
    if (mode === 'direct' || mode === 'relay') required(fields.conversationId, 'conversationId');
    else assertRecipient(fields);
    await this.#transport.finish(file);
  }
}
