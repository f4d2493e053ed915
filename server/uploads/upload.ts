import type { Client } from '../auth/authenticator.ts';
import { type Assessment, assertDeliverable } from '../delivery/assess.ts';
import type { UploadHooks } from '../embedding.ts';
import { type AppError, appError, toAppError } from '../errors/app-error.ts';
import { directUnavailable, fieldOrder, fileTooLarge } from '../errors/factories.ts';
import { LEADING_BYTES } from '../file-types/file-types.ts';
import type { LogFields } from '../http/log-fields.ts';
import type { LeadwayClient } from '../leadway/client.ts';
import type { SizeLimits } from '../leadway/size-limits.ts';
import type { DirectUploads, InitiateResponse } from './direct.ts';
import { assertRecipient, type RawFields, required } from './fields.ts';
import type { FileStream } from './file-stream.ts';
import { cleanFileName, createNameRegister } from './filename.ts';
import { type FileChecks, IncomingFile } from './incoming-file.ts';
import type { LocationRule } from './locations.ts';
import { chooseMode, forwardLimit, forwardOnlyField, tooLarge } from './mode.ts';
import { ForwardSink } from './sinks/forward.ts';
import { HoldSink } from './sinks/hold.ts';
import { RelaySink } from './sinks/relay.ts';
import { discardSink, type Sink, type SinkLink, type StoredResponse } from './sinks/sink.ts';
import { UploadIdempotency } from './upload-idempotency.ts';
import { type UploadOptions, UploadState } from './upload-state.ts';

/** Dependencies that all uploads share. */
export interface UploadContext extends FileChecks {
  readonly leadway: LeadwayClient;
  readonly direct: DirectUploads;
  /** The locations that a client may use. */
  locationsFor(client: Client): LocationRule;
  readonly forward: {
    readonly maxBytes: number;
    readonly holdBytes: number;
    readonly fallbackMaxBytes: number;
  };
  readonly sizeLimits: SizeLimits;
  readonly maxFiles: number;
  readonly defaultChannel: string;
  /** Whether an upload that will not be delivered is rejected. */
  readonly strictDelivery: boolean;
  readonly attachmentUrlOrigins: readonly string[];
  readonly hooks: UploadHooks;
  /** Whether files may go to storage without passing this server: no scan sees those. */
  readonly isDirectAllowed: boolean;
}

/** A file part of a form, when its bytes begin to arrive. */
export interface FilePart {
  readonly filename: string;
  readonly declaredType: string | null;
  readonly stream: FileStream;
  /** Where its content begins in the body. */
  readonly offset: number;
}

/** The response to a successful upload. */
export type UploadResponse =
  | (StoredResponse & { readonly delivery: Assessment })
  | ({ readonly mode: 'direct' } & InitiateResponse);

/** One shared reason: without it, each abort would create a DOMException with a stack. */
export const SETTLED = Object.freeze(new Error('the upload has settled'));

/**
 * One upload from its first byte to its response: it checks the fields and files, chooses their sink, and commits last.
 * It settles once; whatever happens after that changes nothing.
 */
export class Upload {
  readonly #settled = new AbortController();
  /** Aborted as soon as the upload has settled. */
  readonly signal: AbortSignal = this.#settled.signal;
  readonly #context: UploadContext;
  readonly #log: LogFields;
  readonly #response = Promise.withResolvers<UploadResponse>();
  readonly #registerName = createNameRegister();
  readonly #state: UploadState;
  readonly #link: SinkLink;
  #sink: Sink;
  /** Largest size of a file in the present sink, in bytes. */
  #limit = 0;
  readonly #idempotency: UploadIdempotency;
  #isCommitted = false;
  /** What `beforeUpload` saw last. */
  #seenByHook = '';

  /**
   * @param log Log fields, filled in by the upload.
   * @throws AppError `INVALID_FIELD`
   */
  constructor(context: UploadContext, options: UploadOptions, log: LogFields = {}) {
    this.#context = context;
    this.#log = Object.assign(log, { files: 0, bytes: 0 });
    if (options.mode !== 'auto') this.#log.mode = options.mode;
    this.#state = new UploadState(context, options);
    this.#idempotency = new UploadIdempotency(options.idempotent ?? null, this.#state);
    this.#link = { signal: this.signal, log, fail: (error) => this.fail(error) };
    this.#sink = new HoldSink(context.leadway, this.#state, this.#link, context.forward.holdBytes);
    this.#logLocation();
    this.#response.promise.catch(() => {});
  }

  /** Rejects with the AppError to respond with. */
  get response(): Promise<UploadResponse> {
    return this.#response.promise;
  }

  /** Resolves when the upload has settled and its outcome is stored for a repeat. */
  async ended(): Promise<void> {
    await this.#response.promise.catch(() => {});
    await this.#idempotency.ended();
  }

  /** Ends the upload with `error`, unless it has settled. Leadway has no complete request then. */
  fail(error: AppError): void {
    if (this.signal.aborted) return;
    this.#end();
    this.#sink.destroy();
    const isPartial = this.#sink.kind === 'relay' && this.#state.files.length > 1;
    this.#response.reject(this.#idempotency.fail(error, isPartial));
  }

  /**
   * The response has ended before the upload has: the client has disconnected or was too slow. That ends the upload, but
   * a committed one that may run on settles, so that the log says whether Leadway has the file.
   */
  onResponseEnd(mayRunOn: boolean): void {
    if (!this.#isCommitted || !mayRunOn) this.fail(appError('UPSTREAM_ABORTED'));
  }

  /** Takes the fields; `raw` has all that have arrived. */
  fieldsChanged(raw: RawFields): void {
    try {
      this.#state.setFields(raw);
      this.#logLocation();
      this.#updateLimit();
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
      const toCome = this.#state.setOffset(part.offset);
      await this.#state.prepareLimits(toCome);
      await this.#assertForwardable(part.stream);
      const { leadingBytes, isWhole } = await part.stream.readStart(this.signal);
      await file.checkLeadingBytes(
        leadingBytes,
        isWhole ? this.#state.completenessOf(leadingBytes) : 'partial',
      );
      this.signal.throwIfAborted();
      this.#idempotency.noteStart(file, leadingBytes);
      this.#log.contentType ??= file.contentType;
      if (this.#context.hooks.before !== null) await this.#askHook();
      if (isWhole) file.expectedSize = leadingBytes.length;
      await this.#beginFile(file, toCome);
      await this.#receiveChunk(file, leadingBytes);
      if (!isWhole) await part.stream.pump((chunk) => this.#receiveChunk(file, chunk), this.signal);
      file.isWhole = true;
      if (this.#sink.isSending) {
        await this.#verify(file); // before more bytes, which could complete the announced Content-Length
        await this.#sink.end(file);
      }
    } catch (error) {
      this.fail(toAppError(error)); // fail first: discarded bytes are not checked
      part.stream.discard();
      throw error;
    }
  }

  /** The form is whole: the last checks, then the commit. */
  onFormEnd(): void {
    this.#commit().catch((error) => this.fail(toAppError(error)));
  }

  async #commit(): Promise<void> {
    const { files, fields, mode } = this.#state;
    const [first] = files;
    if (first === undefined) throw appError('NO_FILE');
    // With `auto`, a file that turns out to go direct needs a conversation: checked then.
    if (mode === 'direct' || mode === 'relay') required(fields.conversationId, 'conversationId');
    else assertRecipient(fields);
    await this.#askHook();
    if (this.#idempotency.isRepeat) return this.#repeat(this.#idempotency.fingerprint());
    if (this.#sink.isSending) {
      this.#state.assertDeclaredSize(first);
      chooseMode({ ...this.#state.modeFacts(true), size: null });
      const field = forwardOnlyField(fields); // relayed by its size, before the field came
      if (this.#sink.kind === 'relay' && field !== null) throw fieldOrder(field);
    } else {
      await this.#chooseSink(true);
      if (this.signal.aborted) return;
      if (this.#sink.kind === 'hold') await this.#verifyHeld();
      if (await this.#isRepeat()) return this.#repeat(this.#idempotency.fingerprint());
    }
    required(this.#state.location(), 'locationId');
    const delivery = this.#assessDelivery();
    const fingerprint = this.#idempotency.fingerprint();
    if (this.#sink.kind === 'hold') this.#log.mode = 'forward';
    await this.#idempotency.commit(fingerprint);
    this.signal.throwIfAborted();
    this.#isCommitted = true;
    this.#settle({ ...(await this.#sink.finish()), delivery }, fingerprint);
  }

  #openFile({ filename, declaredType }: FilePart): IncomingFile {
    this.#state.assertRoomForFile();
    const metadata = { name: this.#registerName(cleanFileName(filename)), declaredType, isMultipart: true };
    const file = new IncomingFile(metadata, this.#context);
    this.#state.files.push(file);
    this.#log.files = this.#state.files.length;
    return file;
  }

  /**
   * Rejects `mode=forward` as soon as the size is known to be too large. If the leading bytes are already here, they
   * are checked first, so that a wrong type gets the same error in every mode.
   */
  async #assertForwardable(stream: FileStream): Promise<void> {
    if (this.#state.mode !== 'forward') return;
    await null; // bytes that arrived with the headers are in the stream after that
    if (stream.waitingBytes < LEADING_BYTES) chooseMode(this.#state.modeFacts(false));
  }

  /** Begins a file whose leading bytes were accepted, and chooses the sink if enough is known. */
  async #beginFile(file: IncomingFile, toCome: number | null): Promise<void> {
    this.#updateLimit();
    await this.#sink.begin(file, []);
    if (this.#sink.kind !== 'hold' || file.expectedSize !== null) return;
    // If little is left, wait: the form will soon be complete.
    const isLong = (toCome ?? this.#state.fields.fileSize ?? 0) > this.#context.forward.holdBytes;
    if (isLong) await this.#chooseSink(false);
  }

  /** Checks the next bytes and passes them to the sink. Await the promise, if there is one, before the next ones. */
  #receiveChunk(file: IncomingFile, chunk: Buffer): Promise<void> | undefined {
    const observed = file.update(chunk);
    this.#log.bytes = (this.#log.bytes ?? 0) + chunk.length;
    this.#state.assertNotLonger(file);
    return observed === undefined
      ? this.#writeChunk(file, chunk)
      : observed.then(() => this.#writeChunk(file, chunk));
  }

  #writeChunk(file: IncomingFile, chunk: Buffer): Promise<void> | undefined {
    const changing = file.size > this.#limit ? this.#exceedLimit(file) : undefined;
    const written = this.#sink.write(file, chunk);
    if (changing !== undefined) return Promise.all([changing, written]).then(() => {});
    return this.#sink.isFull ? this.#chooseSink(false) : written;
  }

  /** The file exceeds its sink's limit: `auto` can still switch to direct; any other mode fails. */
  #exceedLimit(file: IncomingFile): Promise<void> | undefined {
    const canTest = this.#sink.kind !== 'discard' && this.#state.canTestLimit(file.size);
    return canTest ? this.#testLimit(file) : this.#switchMode(file);
  }

  async #testLimit(file: IncomingFile): Promise<void> {
    if (await this.#state.testLimit()) this.#updateLimit();
    else await this.#switchMode(file);
  }

  #switchMode(file: IncomingFile): Promise<void> | undefined {
    const facts = this.#state.modeFacts(false);
    const canTurn = facts.mode === 'auto' && this.#sink.kind !== 'discard' && this.#state.isSizeBounded;
    if (!canTurn) throw tooLarge(facts, forwardOnlyField(facts) === null ? this.#limit : forwardLimit(facts));
    const size = Math.max(file.size, this.#state.minFileBytes);
    const mode = chooseMode({ ...facts, size });
    if (mode === 'direct') return this.#respondDirect(false);
    if (mode === 'relay') throw tooLarge(facts, this.#limit); // its first bytes are gone
    this.#discard();
    return undefined;
  }

  /** Chooses the sink from what is known. A complete form that will be forwarded stays held. */
  async #chooseSink(isComplete: boolean): Promise<void> {
    const mode = chooseMode(this.#state.modeFacts(isComplete));
    if (mode === 'undecided') this.#discard();
    else if (mode === 'direct') await this.#respondDirect(isComplete);
    else if (this.#sink.kind === 'discard')
      throw mode === 'relay' ? fieldOrder('channel') : directUnavailable();
    else if (mode === 'relay') await this.#openRelay(isComplete);
    else if (!isComplete) await this.#openForward();
    this.#updateLimit();
  }

  async #openForward(): Promise<void> {
    const { leadway } = this.#context;
    const locationId = this.#state.location();
    if (locationId === null) throw fieldOrder('locationId');
    await this.#verifyHeld();
    if (await this.#isRepeat()) return;
    if (this.#state.fileWithKnownEnd() !== null) assertRecipient(this.#state.fields); // no field can follow
    await leadway.takeQuota(locationId, this.signal);
    this.signal.throwIfAborted();
    await this.#replaceHold(new ForwardSink(leadway, this.#state, locationId, this.#link));
  }

  async #openRelay(isComplete: boolean): Promise<void> {
    const { direct, leadway } = this.#context;
    if (!isComplete && this.#state.location() === null) throw fieldOrder('locationId');
    await this.#askHook();
    await this.#verifyHeld();
    if (await this.#isRepeat()) return;
    const { agent, timeoutMs } = leadway.options;
    const ticketOf = async (file: IncomingFile) => {
      this.#assessDelivery();
      if (this.#state.fields.conversationId === null) throw fieldOrder('conversationId');
      const ticket = await direct.initiate(this.#state.directFileOf(file), this.signal, this.#log);
      if (ticket === null) throw directUnavailable();
      return ticket;
    };
    const sizeOf = (file: IncomingFile) => this.#state.sizeOf(file);
    await this.#replaceHold(new RelaySink({ ...this.#link, agent, timeoutMs, direct, ticketOf, sizeOf }));
  }

  /** Replaces the hold with `next` and hands over what was held. */
  async #replaceHold(next: ForwardSink | RelaySink): Promise<void> {
    const hold = this.#sink;
    this.#sink = next;
    this.#log.mode = next.kind;
    if (hold instanceof HoldSink) await hold.handOver(next);
  }

  /** Asks for a signed URL and responds with it, if enough is known. */
  async #respondDirect(isComplete: boolean): Promise<void> {
    const [file] = this.#state.files;
    if (file === undefined) return;
    const isEnough = this.#state.fields.conversationId !== null && this.#state.location() !== null;
    if (!isComplete && !isEnough) return this.#discard();
    this.#state.assertNotLonger(file);
    if (!isComplete && this.#state.mayBeTooLarge()) return this.#discard();
    if (file.isWhole && file.size === this.#state.fields.fileSize) await file.verify();
    const directFile = this.#state.directFileOf(file);
    this.#assessDelivery();
    await this.#askHook();
    const fingerprint = this.#idempotency.directFingerprint(directFile, file.leadingDigest);
    if (await this.#isRepeat()) return this.#repeat(fingerprint);
    const ticket = await this.#context.direct.initiate(directFile, this.signal, this.#log);
    if (ticket === null) return this.#fallBack(isComplete);
    const size = directFile.fileSize ?? file.size;
    if (size > ticket.maxFileSize) throw fileTooLarge(ticket.maxFileSize, ticket.channel);
    const response = await this.#context.direct.toResponse(ticket);
    this.#settle({ mode: 'direct', ...response }, fingerprint);
  }

  /** Leadway does not offer direct: forward instead, if the mode is `auto` and nothing was dropped. */
  async #fallBack(isComplete: boolean): Promise<void> {
    if (this.#state.mode !== 'auto' || this.#sink.kind === 'discard') throw directUnavailable();
    if (this.#sink.kind === 'hold') return this.#chooseSink(isComplete);
    this.#updateLimit();
    if (this.#state.minFileBytes > this.#limit) throw tooLarge(this.#state.modeFacts(false), this.#limit);
  }

  #discard(): void {
    this.#sink.destroy();
    this.#sink = discardSink;
    for (const file of this.#state.files) file.destroy();
    this.#updateLimit();
  }

  /** Checks every whole file of the hold. */
  async #verifyHeld(): Promise<void> {
    for (const file of this.#state.files) if (file.isWhole) await this.#verify(file);
  }

  async #verify(file: IncomingFile): Promise<void> {
    this.#state.assertDeclaredSize(file);
    await file.verify();
  }

  /** @throws AppError `NOT_DELIVERABLE` */
  #assessDelivery(): Assessment {
    const assessment = this.#state.assessDelivery();
    if (this.#context.strictDelivery) assertDeliverable(assessment);
    return assessment;
  }

  #updateLimit(): void {
    const { isRepeat } = this.#idempotency; // then nothing is sent
    this.#limit = isRepeat ? Number.POSITIVE_INFINITY : this.#state.limitFor(this.#sink.kind);
  }

  /** Calls `beforeUpload`, unless it has seen everything that is known. */
  async #askHook(): Promise<void> {
    const { before } = this.#context.hooks;
    if (before === null) return;
    const files = this.#state.files.map(({ name, contentType }) => ({ name, contentType }));
    const upload = { ...this.#state.target(), files };
    const seen = JSON.stringify(upload);
    if (seen === this.#seenByHook) return;
    this.#seenByHook = seen;
    await before(upload);
    this.signal.throwIfAborted();
  }

  /** Asks whether this is a repeat, which sends nothing upstream. */
  async #isRepeat(): Promise<boolean> {
    const isRepeat = await this.#idempotency.begin(this.signal);
    if (isRepeat) this.#discard();
    return isRepeat;
  }

  /** Responds as to the earlier request, if this is the same one. */
  #repeat(fingerprint: string): void {
    const response = this.#idempotency.recordedResponse(fingerprint);
    if (this.signal.aborted) return;
    Object.assign(this.#log, { mode: response.mode, isRepeat: true });
    this.#end();
    this.#response.resolve(response);
  }

  #settle(response: UploadResponse, fingerprint: string): void {
    if (this.signal.aborted) return;
    this.#log.mode = response.mode;
    this.#end();
    this.#idempotency.succeed(fingerprint, response);
    this.#response.resolve(response);
    if (response.mode === 'direct') {
      this.#sink.destroy(); // it may have sent bytes to Leadway already
      return;
    }
    const { mode, uploadedFiles } = response;
    const urls = Object.values(uploadedFiles);
    const onlyUrl = urls.length === 1 ? urls[0] : undefined; // whatever Leadway has made of the name
    const files = this.#state.files.map(({ name, contentType, size }) => {
      return { name, contentType, size, url: uploadedFiles[name] ?? onlyUrl ?? '' };
    });
    this.#context.hooks.after({ ...this.#state.target(), mode, files });
  }

  #end(): void {
    this.#settled.abort(SETTLED);
    for (const file of this.#state.files) file.destroy();
  }

  #logLocation(): void {
    const locationId = this.#state.location();
    if (locationId !== null) this.#log.locationId = locationId;
  }
}
