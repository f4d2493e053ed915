import type { Readable } from 'node:stream';
import type { Caller } from '../callers/caller.ts';
import { type AppError, appError, toAppError } from '../errors/app-error.ts';
import type { Outcome } from '../http/outcome.ts';
import type { UpstreamTiming } from '../leadway/forward-request.ts';
import { channelMaxBytes, LARGEST_CHANNEL_BYTES } from './channels.ts';
import type { DirectFile, InitiateAnswer } from './direct-uploads.ts';
import { cleanFileName, createNameRegister } from './file-name.ts';
import { pump, readHead } from './file-stream.ts';
import { type ForwardAnswer, ForwardCarrier, type ForwardTarget, sendHeldFiles } from './forward-carrier.ts';
import { IncomingFile } from './incoming-file.ts';
import { type LocationRule, resolveLocation } from './locations.ts';
import { directUnavailable, RelayCarrier } from './relay-carrier.ts';
import {
  chooseRoute,
  forwardLimit,
  type Mode,
  overLimit,
  type RouteFacts,
  tooLarge,
} from './route-choice.ts';
import type { UploadContext } from './upload-context.ts';
import { parseUploadFields, type RawFields, required, type UploadFields } from './upload-fields.ts';

/** What is known of an upload before its body. */
export interface UploadRequest {
  /** Who uploads; tickets are bound to it. */
  readonly caller: Caller;
  readonly mode: Mode;
  /** From the query; null when it is not there. */
  readonly locationId: string | null;
  /** Length of the whole body in bytes; null when it is chunked. */
  readonly contentLength: number | null;
  /** Bytes that follow the last part: its CRLF and the closing delimiter. */
  readonly closingBytes: number;
}

/** A file part, as its bytes begin to come. */
export interface FilePart {
  readonly filename: string;
  readonly declaredType: string | null;
  readonly stream: Readable;
  /** Where its content begins in the body. */
  readonly offset: number;
}

/** A successful outcome. */
export type UploadAnswer =
  | ({ readonly mode: 'forward' | 'relay' } & ForwardAnswer)
  | ({ readonly mode: 'direct' } & InitiateAnswer);

/** Fields that follow the file make `Content-Length` an upper bound of its size; hardly a form has more of them. */
const FIELDS_SLACK = 16 * 1024;
const MIB = 1024 * 1024;
/** Why a settled upload is over. Without a reason, an exception with a stack would be made for each. */
const SETTLED = 'settled';

/** What becomes of the bytes of a file. */
type Carriage = 'hold' | 'discard' | 'forward' | 'relay';

/**
 * One upload from its first byte to its answer: every check, the choice of the route, and the commit that
 * comes last. It settles once; whatever happens after that is thrown away.
 */
export class Upload {
  /** Facts for the log. */
  readonly facts: Outcome = { files: 0, fileBytes: 0 };
  readonly #context: UploadContext;
  readonly #request: UploadRequest;
  readonly #answer = Promise.withResolvers<UploadAnswer>();
  readonly #over = new AbortController();
  readonly #locations: LocationRule;
  readonly #registerName = createNameRegister();
  readonly #files: IncomingFile[] = [];
  #fields: UploadFields;
  #carriage: Carriage = 'hold';
  #heldBytes = 0;
  #forward: ForwardCarrier | null = null;
  #relay: RelayCarrier | null = null;
  #heldUpload: { destroy(): void } | null = null;
  /** Bytes between the beginning of the only file so far and the closing delimiter; null when unknown. */
  #bytesToCome: number | null = null;
  /** The most that the current file may have as things stand. */
  #limit = 0;
  #isRouting = false;
  /** A file came while its location was unknown. */
  #isBeforeLocation = false;

  /** @throws AppError `INVALID_FIELD` */
  constructor(context: UploadContext, request: UploadRequest) {
    this.#context = context;
    this.#request = request;
    this.#locations = context.locationsFor(request.caller);
    // What comes in the query has the form of a field too.
    parseUploadFields({ locationId: request.locationId }, []);
    this.#fields = parseUploadFields({}, context.attachmentUrlOrigins);
    this.#answer.promise.catch(() => {});
  }

  /** The outcome; rejects with the AppError to answer. */
  get answer(): Promise<UploadAnswer> {
    return this.#answer.promise;
  }

  /** Aborted as soon as the upload has settled. */
  get over(): AbortSignal {
    return this.#over.signal;
  }

  /** Ends the upload with `error`, unless it has settled. Leadway has got no complete request then. */
  fail(error: AppError): void {
    if (this.#over.signal.aborted) return;
    this.#over.abort();
    this.#forward?.destroy();
    this.#relay?.destroy();
    this.#heldUpload?.destroy();
    this.#answer.reject(error);
  }

  /** Tells that a field has come; `raw` has all that came so far. */
  fieldsChanged(raw: RawFields): void {
    this.#attempt(async () => {
      this.#fields = parseUploadFields(raw, this.#context.attachmentUrlOrigins);
      if (this.#location() !== null && this.#isBeforeLocation) throw fieldOrder('locationId');
      this.#limit = this.#currentLimit();
    });
  }

  /**
   * Takes one file from its first byte to its last. Resolves when the next part may come.
   *
   * @throws AppError what ended the upload.
   */
  async receiveFile(part: FilePart): Promise<void> {
    try {
      const file = this.#openFile(part);
      const { head, isWhole } = await readHead(part.stream, this.over);
      await file.admit(head, isWhole ? this.#extentOf(head) : 'part');
      this.over.throwIfAborted();
      this.facts.contentType ??= file.contentType;
      await this.#beginFile(file, part, isWhole ? head.length : null);
      await this.#take(file, head);
      if (!isWhole) await pump(part.stream, (chunk) => this.#take(file, chunk), this.over);
      file.isWhole = true;
      await this.#endFile(file);
    } catch (error) {
      part.stream.resume();
      this.fail(toAppError(error));
      throw error;
    }
  }

  /** Tells that the form is complete: the last checks, then the commit. */
  finish(): void {
    this.#attempt(() => this.#finish());
  }

  #attempt(step: () => Promise<void>): void {
    step().catch((error) => this.fail(toAppError(error)));
  }

  #settle(answer: UploadAnswer): void {
    if (this.over.aborted) return;
    this.facts.mode = answer.mode;
    this.#over.abort(SETTLED);
    // A direct answer may follow bytes that were already on their way to Leadway.
    if (answer.mode === 'direct') this.#forward?.destroy();
    this.#answer.resolve(answer);
  }

  #openFile({ filename, declaredType }: FilePart): IncomingFile {
    const { isGroupSms, fileSize } = this.#fields;
    const max = isGroupSms || fileSize !== null ? 1 : this.#context.maxFiles;
    if (this.#files.length >= max) throw tooManyFiles(max);
    this.#isBeforeLocation ||= this.#location() === null;
    const cleaned = cleanFileName(filename);
    if (cleaned === null) throw appError('BAD_FILENAME');
    const claim = { name: this.#registerName(cleaned), declaredType, isMultipart: true };
    const file = new IncomingFile(claim, this.#context.policy);
    this.#files.push(file);
    this.facts.files = this.#files.length;
    return file;
  }

  /** Decides what can be decided once a head is accepted. */
  async #beginFile(file: IncomingFile, part: FilePart, wholeSize: number | null): Promise<void> {
    const { contentLength, closingBytes } = this.#request;
    const toCome = contentLength === null ? null : contentLength - part.offset - closingBytes;
    this.#bytesToCome = this.#files.length === 1 ? toCome : null;
    this.#limit = this.#currentLimit();
    if (this.#carriage === 'forward') await this.#forward?.beginFile(file);
    if (this.#carriage === 'relay') await this.#beginRelay(file, wholeSize);
    // With little to come the end of the form is near, and everything will be known there.
    const isLong = (toCome ?? this.#fields.fileSize ?? 0) > this.#context.forward.holdBytes;
    if (this.#carriage === 'hold' && wholeSize === null && isLong) await this.#route(false);
  }

  /** Passes bytes on, or holds them. A promise means: wait for it before the next ones. */
  #take(file: IncomingFile, chunk: Buffer): Promise<void> | undefined {
    file.pass(chunk);
    this.facts.fileBytes = (this.facts.fileBytes ?? 0) + chunk.length;
    this.#assertNotLonger(file);
    const turning = file.size > this.#limit ? this.#passLimit(file) : undefined;
    const written = this.#write(file, chunk);
    return turning === undefined ? written : Promise.all([turning, written]).then(() => {});
  }

  #write(file: IncomingFile, chunk: Buffer): Promise<void> | undefined {
    switch (this.#carriage) {
      case 'hold':
        file.held.push(chunk);
        this.#heldBytes += chunk.length;
        return this.#heldBytes > this.#context.forward.holdBytes && !this.#isRouting
          ? this.#route(false)
          : undefined;
      case 'forward':
        return this.#forward?.write(chunk);
      case 'relay':
        return this.#relay?.write(chunk, file.size);
      case 'discard':
        return undefined;
    }
  }

  async #endFile(file: IncomingFile): Promise<void> {
    if (this.#carriage !== 'forward' && this.#carriage !== 'relay') return;
    // Before the next byte: what follows a file that is too short must not fill up a length that was told.
    this.#assertDeclaredSize(file);
    await file.assertSound();
    await (this.#forward ?? this.#relay)?.endFile();
  }

  /** Whether a file that ended within its head is all there: for direct uploads, the head alone may be sent. */
  #extentOf(head: Buffer): 'whole' | 'maybe' {
    const { mode } = this.#request;
    return mode === 'forward' || mode === 'relay' || this.#fields.fileSize === head.length
      ? 'whole'
      : 'maybe';
  }

  async #finish(): Promise<void> {
    const [file] = this.#files;
    if (file === undefined) throw appError('NO_FILE');
    required(this.#fields.conversationId, 'conversationId');
    if (this.#carriage === 'hold' || this.#carriage === 'discard') return this.#route(true);
    this.#assertDeclaredSize(file);
    chooseRoute({ ...this.#routeFacts(true), size: null });
    if (this.#carriage === 'relay') return this.#finishRelay();
    required(this.#fields.contactId, 'contactId');
    if (this.#forward !== null)
      this.#settle({ mode: 'forward', ...(await this.#forward.finish(this.#fields)) });
  }

  /** Leaves the hold, by the route that what is known so far asks for. */
  async #route(isComplete: boolean): Promise<void> {
    this.#isRouting = true;
    try {
      const route = chooseRoute(this.#routeFacts(isComplete));
      if (route === 'wait') this.#discard();
      else if (route === 'direct') await this.#goDirect(isComplete);
      else if (this.#carriage === 'discard' && route === 'relay') throw fieldOrder('channel');
      else if (this.#carriage === 'discard') throw directUnavailable();
      else if (route === 'relay') await this.#goRelay(isComplete);
      else if (isComplete) await this.#sendHeld();
      else await this.#openForward();
      this.#limit = this.#currentLimit();
    } finally {
      this.#isRouting = false;
    }
  }

  /** The file has more bytes than its route takes: `auto` can still turn to direct, everything else ends. */
  #passLimit(file: IncomingFile): Promise<void> | undefined {
    if (this.#isRouting) return undefined;
    const facts = this.#routeFacts(false);
    const canTurn = facts.mode === 'auto' && this.#carriage !== 'discard' && this.#bytesToCome !== null;
    if (!canTurn) throw this.#tooLarge(facts);
    const size = Math.max(file.size, (this.#bytesToCome ?? 0) - FIELDS_SLACK);
    const route = chooseRoute({ ...facts, size });
    if (route === 'direct') return this.#turnToDirect();
    this.#discard();
    return undefined;
  }

  async #turnToDirect(): Promise<void> {
    this.#isRouting = true;
    try {
      await this.#goDirect(false);
    } finally {
      this.#isRouting = false;
    }
  }

  #tooLarge(facts: RouteFacts): AppError {
    const isForward = facts.mode === 'forward' || (facts.mode === 'auto' && this.#carriage !== 'discard');
    return tooLarge(facts, isForward || facts.isGroupSms ? forwardLimit(facts) : this.#limit);
  }

  async #goDirect(isComplete: boolean): Promise<void> {
    const [file] = this.#files;
    if (file === undefined) return;
    const locationId = this.#location();
    if (!isComplete && (this.#fields.conversationId === null || locationId === null)) return this.#discard();
    this.#assertNotLonger(file);
    if (!isComplete && this.#mayBeTooLarge()) return this.#discard();
    if (file.isWhole && file.size === this.#fields.fileSize) await file.assertSound();
    const claim = this.#claim(file, locationId);
    const ticket = await this.#context.direct.initiate(claim, this.over);
    if (ticket === null) return this.#fallBack(isComplete);
    const size = claim.fileSize ?? file.size;
    if (size > ticket.maxFileSize) throw overLimit(ticket.maxFileSize, ticket.channel);
    this.#settle({ mode: 'direct', ...(await this.#context.direct.toAnswer(ticket)) });
  }

  /** Too close to the channel's limit for the length of the body to tell; the end of the file will. */
  #mayBeTooLarge(): boolean {
    const { fileSize, channel } = this.#fields;
    const limit = channelMaxBytes(channel ?? this.#context.defaultChannel);
    return fileSize === null && (this.#bytesToCome ?? 0) > limit;
  }

  /** Direct was chosen but is not offered: forward, where that was left to us and no byte is lost. */
  async #fallBack(isComplete: boolean): Promise<void> {
    if (this.#request.mode !== 'auto' || this.#carriage === 'discard') throw directUnavailable();
    if (this.#carriage === 'hold') return this.#route(isComplete);
    const facts = this.#routeFacts(false);
    this.#limit = this.#currentLimit();
    if ((this.#bytesToCome ?? 0) - FIELDS_SLACK > this.#limit) throw tooLarge(facts, this.#limit);
  }

  async #openForward(): Promise<void> {
    const locationId = this.#location();
    if (locationId === null) throw fieldOrder('locationId');
    for (const held of this.#files) if (held.isWhole) await held.assertSound();
    await this.#context.budget.take(locationId, this.over);
    this.over.throwIfAborted();
    const target = this.#forwardTarget(locationId);
    const [file] = this.#files;
    const bytes = this.#provenSize();
    if (bytes !== null) {
      required(this.#fields.conversationId, 'conversationId');
      required(this.#fields.contactId, 'contactId');
    }
    const exact = bytes !== null && file !== undefined ? { file, bytes } : null;
    this.#forward = new ForwardCarrier(target, this.#fields, exact);
    this.#carriage = 'forward';
    for (const held of this.#files) await this.#forward.beginFile(held);
  }

  async #sendHeld(): Promise<void> {
    required(this.#fields.contactId, 'contactId');
    for (const file of this.#files) {
      this.#assertDeclaredSize(file);
      await file.assertSound();
    }
    const locationId = required(this.#location(), 'locationId');
    await this.#context.budget.take(locationId, this.over);
    this.over.throwIfAborted();
    const target = this.#forwardTarget(locationId);
    const held = sendHeldFiles(target, this.#fields, this.#files);
    this.#heldUpload = held;
    this.#settle({ mode: 'forward', ...(await held.answer) });
  }

  async #goRelay(isComplete: boolean): Promise<void> {
    if (!isComplete && this.#location() === null) throw fieldOrder('locationId');
    this.#relay = new RelayCarrier({
      direct: this.#context.direct,
      agent: this.#context.client.options.agent,
      timeoutMs: this.#context.client.options.timeoutMs,
      signal: this.over,
      onFailure: (error) => this.fail(error),
      onTiming: (timing) => this.#noteTiming(timing),
    });
    this.#carriage = 'relay';
    for (const file of this.#files) {
      if (file.isWhole) {
        this.#assertDeclaredSize(file);
        await file.assertSound();
      }
      await this.#beginRelay(file, file.isWhole ? file.size : null);
      if (file.isWhole) await this.#relay.endFile();
    }
    if (isComplete) await this.#finishRelay();
  }

  async #beginRelay(file: IncomingFile, wholeSize: number | null): Promise<void> {
    if (this.#fields.conversationId === null) throw fieldOrder('conversationId');
    const declared = this.#files.length === 1 ? this.#fields.fileSize : null;
    await this.#relay?.beginFile(this.#claim(file, this.#location()), file, wholeSize ?? declared);
  }

  async #finishRelay(): Promise<void> {
    if (this.#relay !== null) this.#settle({ mode: 'relay', uploadedFiles: await this.#relay.finish() });
  }

  /** Throws the rest of the file away: only the head and the fields are wanted. */
  #discard(): void {
    this.#carriage = 'discard';
    this.#forward?.destroy();
    this.#forward = null;
    for (const file of this.#files) file.release();
    this.#limit = this.#currentLimit();
  }

  #location(): string | null {
    return resolveLocation(this.#locations, this.#request.locationId, this.#fields.locationId);
  }

  #claim(file: IncomingFile, locationId: string | null): DirectFile {
    const { conversationId, channel, fileSize } = this.#fields;
    return {
      caller: this.#request.caller.id,
      locationId: required(locationId, 'locationId'),
      conversationId: required(conversationId, 'conversationId'),
      filename: file.name,
      contentType: file.contentType,
      fileSize: this.#files.length === 1 ? fileSize : null,
      channel: channel ?? this.#context.defaultChannel,
    };
  }

  #forwardTarget(locationId: string): ForwardTarget {
    return {
      client: this.#context.client,
      locationId,
      onFailure: (error) => this.fail(error),
      onTiming: (timing) => this.#noteTiming(timing),
    };
  }

  #noteTiming({ status, ms }: UpstreamTiming): void {
    this.facts.upstreamStatus = status;
    this.facts.upstreamMs = Math.round(ms);
  }

  #routeFacts(isComplete: boolean): RouteFacts {
    const { forward, maxFiles, defaultChannel, direct } = this.#context;
    const { isGroupSms, channel, fileSize } = this.#fields;
    const [file] = this.#files;
    const { mode } = this.#request;
    // A direct upload has one file; otherwise so long a body can only be one that can't be forwarded.
    const certain = mode === 'direct' ? FIELDS_SLACK : maxFiles * forward.maxBytes + MIB;
    const estimate =
      this.#bytesToCome !== null && this.#bytesToCome > certain ? this.#bytesToCome - FIELDS_SLACK : null;
    const locationId = this.#location();
    return {
      mode,
      isGroupSms: isGroupSms ?? false,
      fileCount: this.#files.length,
      size: fileSize ?? estimate ?? (isComplete && file?.isWhole ? file.size : null),
      channel,
      defaultChannel,
      isComplete,
      isDirectOffered: locationId === null || direct.isOffered(locationId),
      forwardMaxBytes: forward.maxBytes,
      fallbackMaxBytes: forward.fallbackMaxBytes,
    };
  }

  #currentLimit(): number {
    const facts = this.#routeFacts(false);
    const { mode } = this.#request;
    if (this.#carriage === 'relay') return Number.POSITIVE_INFINITY;
    if (mode === 'forward' || (mode === 'auto' && this.#carriage !== 'discard')) return forwardLimit(facts);
    return facts.channel === null ? LARGEST_CHANNEL_BYTES : channelMaxBytes(facts.channel);
  }

  /** The declared size, when the length of the body proves that the file is the last thing in it. */
  #provenSize(): number | null {
    const { fileSize } = this.#fields;
    const toCome = this.#bytesToCome;
    // Some clients leave out the line end after the closing delimiter.
    return fileSize !== null && (toCome === fileSize || toCome === fileSize - 2) ? fileSize : null;
  }

  #assertNotLonger(file: IncomingFile): void {
    const { fileSize } = this.#fields;
    if (fileSize !== null && this.#files.length === 1 && file.size > fileSize)
      throw sizeMismatch(fileSize, file.size);
  }

  /** Holds a whole file to its declared size. A direct upload may bring the head alone. */
  #assertDeclaredSize(file: IncomingFile): void {
    const { fileSize } = this.#fields;
    if (fileSize === null) return;
    if (this.#files.length > 1) throw tooManyFiles(1);
    if (file.size !== fileSize) throw sizeMismatch(fileSize, file.size);
  }
}

function tooManyFiles(max: number): AppError {
  return appError('TOO_MANY_FILES', { params: { max }, details: { max } });
}

function sizeMismatch(declared: number, received: number): AppError {
  return appError('SIZE_MISMATCH', { details: { declared, received } });
}

function fieldOrder(field: string): AppError {
  return appError('FIELD_ORDER', { params: { field }, details: { field } });
}
