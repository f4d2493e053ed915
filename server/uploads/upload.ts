import { type AppError, appError, toAppError } from '../errors/app-error.ts';
import { HEAD_BYTES } from '../file-types/file-types.ts';
import { Ending } from '../http/ending.ts';
import type { Outcome } from '../http/outcome.ts';
import type { UpstreamTiming } from '../leadway/forward-request.ts';
import type { InitiateAnswer } from './direct-uploads.ts';
import { cleanFileName, createNameRegister } from './file-name.ts';
import type { FileStream } from './file-stream.ts';
import { type ForwardAnswer, ForwardCarrier, type ForwardTarget, sendHeldFiles } from './forward-carrier.ts';
import { IncomingFile } from './incoming-file.ts';
import { directUnavailable, RelayCarrier } from './relay-carrier.ts';
import { chooseRoute, forwardLimit, overLimit, type RouteFacts, tooLarge } from './route-choice.ts';
import type { UploadContext } from './upload-context.ts';
import { fieldOrder } from './upload-errors.ts';
import { type RawFields, required } from './upload-fields.ts';
import { type Carriage, UploadKnowledge, type UploadRequest } from './upload-knowledge.ts';

/** A file part, as its bytes begin to come. */
export interface FilePart {
  readonly filename: string;
  readonly declaredType: string | null;
  readonly stream: FileStream;
  /** Where its content begins in the body. */
  readonly offset: number;
}

/** A successful outcome. */
export type UploadAnswer =
  | ({ readonly mode: 'forward' | 'relay' } & ForwardAnswer)
  | ({ readonly mode: 'direct' } & InitiateAnswer);

/**
 * One upload from its first byte to its answer: every check, the choice of the route, and the commit that
 * comes last. It settles once; whatever happens after that is thrown away.
 */
export class Upload {
  /** Facts for the log. */
  readonly facts: Outcome = { files: 0, fileBytes: 0 };
  /** Comes as soon as the upload has settled. */
  readonly over = new Ending();
  readonly #context: UploadContext;
  readonly #request: UploadRequest;
  readonly #answer = Promise.withResolvers<UploadAnswer>();
  readonly #registerName = createNameRegister();
  readonly #known: UploadKnowledge;
  #carriage: Carriage = 'hold';
  #heldBytes = 0;
  #forward: ForwardCarrier | null = null;
  #relay: RelayCarrier | null = null;
  #heldUpload: { destroy(): void } | null = null;
  /** The most that the current file may have as things stand. */
  #limit = 0;
  #isRouting = false;

  /** @throws AppError `INVALID_FIELD` */
  constructor(context: UploadContext, request: UploadRequest) {
    this.#context = context;
    this.#request = request;
    this.#known = new UploadKnowledge(context, request);
    this.#answer.promise.catch(() => {});
  }

  /** The outcome; rejects with the AppError to answer. */
  get answer(): Promise<UploadAnswer> {
    return this.#answer.promise;
  }

  /** Ends the upload with `error`, unless it has settled. Leadway has got no complete request then. */
  fail(error: AppError): void {
    if (this.over.isOver) return;
    this.over.end();
    this.#forward?.destroy();
    this.#relay?.destroy();
    this.#heldUpload?.destroy();
    this.#answer.reject(error);
  }

  /** Tells that a field has come; `raw` has all that came so far. */
  fieldsChanged(raw: RawFields): void {
    try {
      this.#known.learnFields(raw);
      this.#limit = this.#known.limitFor(this.#carriage);
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
      const { head, isWhole } = await part.stream.readHead(this.over);
      await file.admit(head, isWhole ? this.#known.extentOf(head) : 'part');
      this.over.throwIfOver();
      this.facts.contentType ??= file.contentType;
      await this.#beginFile(file, toCome, isWhole ? head.length : null);
      await this.#take(file, head);
      if (!isWhole) await part.stream.pump((chunk) => this.#take(file, chunk), this.over);
      file.isWhole = true;
      await this.#endFile(file);
    } catch (error) {
      this.fail(toAppError(error)); // first: what passes unread is looked at by nobody then
      part.stream.discard();
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
    if (this.over.isOver) return;
    this.facts.mode = answer.mode;
    this.over.end();
    // A direct answer may follow bytes that were already on their way to Leadway.
    if (answer.mode === 'direct') this.#forward?.destroy();
    this.#answer.resolve(answer);
  }

  #openFile({ filename, declaredType }: FilePart): IncomingFile {
    this.#known.assertRoomForFile();
    const cleaned = cleanFileName(filename);
    if (cleaned === null) throw appError('BAD_FILENAME');
    const claim = { name: this.#registerName(cleaned), declaredType, isMultipart: true };
    const file = new IncomingFile(claim, this.#context.policy);
    this.#known.files.push(file);
    this.facts.files = this.#known.files.length;
    return file;
  }

  /**
   * Refuses what insists on forward as soon as its size is known to be too large for that. Where the head has
   * come along it is judged first: a file of the wrong type is none for another way either.
   */
  async #assertForwardable(stream: FileStream): Promise<void> {
    if (this.#request.mode !== 'forward') return;
    await null; // what came in one piece with the headers of the part is in the stream then
    if (stream.waitingBytes < HEAD_BYTES) chooseRoute(this.#known.routeFacts(false));
  }

  /** Decides what can be decided once a head is accepted. `toCome`: bytes from its beginning, where known. */
  async #beginFile(file: IncomingFile, toCome: number | null, wholeSize: number | null): Promise<void> {
    this.#limit = this.#known.limitFor(this.#carriage);
    if (this.#carriage === 'forward') await this.#forward?.beginFile(file);
    if (this.#carriage === 'relay') await this.#beginRelay(file, wholeSize);
    // With little to come the end of the form is near, and everything will be known there.
    const isLong = (toCome ?? this.#known.fields.fileSize ?? 0) > this.#context.forward.holdBytes;
    if (this.#carriage === 'hold' && wholeSize === null && isLong) await this.#route(false);
  }

  /** Passes bytes on, or holds them. A promise means: wait for it before the next ones. */
  #take(file: IncomingFile, chunk: Buffer): Promise<void> | undefined {
    file.pass(chunk);
    this.facts.fileBytes = (this.facts.fileBytes ?? 0) + chunk.length;
    this.#known.assertNotLonger(file);
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
    this.#known.assertDeclaredSize(file);
    await file.assertSound();
    await (this.#forward ?? this.#relay)?.endFile();
  }

  async #finish(): Promise<void> {
    const [file] = this.#known.files;
    if (file === undefined) throw appError('NO_FILE');
    required(this.#known.fields.conversationId, 'conversationId');
    if (this.#carriage === 'hold' || this.#carriage === 'discard') return this.#route(true);
    this.#known.assertDeclaredSize(file);
    chooseRoute({ ...this.#known.routeFacts(true), size: null });
    if (this.#carriage === 'relay') return this.#finishRelay();
    required(this.#known.fields.contactId, 'contactId');
    if (this.#forward !== null)
      this.#settle({ mode: 'forward', ...(await this.#forward.finish(this.#known.fields)) });
  }

  /** Leaves the hold, by the route that what is known so far asks for. */
  async #route(isComplete: boolean): Promise<void> {
    this.#isRouting = true;
    try {
      const route = chooseRoute(this.#known.routeFacts(isComplete));
      if (route === 'wait') this.#discard();
      else if (route === 'direct') await this.#goDirect(isComplete);
      else if (this.#carriage === 'discard' && route === 'relay') throw fieldOrder('channel');
      else if (this.#carriage === 'discard') throw directUnavailable();
      else if (route === 'relay') await this.#goRelay(isComplete);
      else if (isComplete) await this.#sendHeld();
      else await this.#openForward();
      this.#limit = this.#known.limitFor(this.#carriage);
    } finally {
      this.#isRouting = false;
    }
  }

  /** The file has more bytes than its route takes: `auto` can still turn to direct, everything else ends. */
  #passLimit(file: IncomingFile): Promise<void> | undefined {
    if (this.#isRouting) return undefined;
    const facts = this.#known.routeFacts(false);
    const canTurn = facts.mode === 'auto' && this.#carriage !== 'discard' && this.#known.isSizeBounded;
    if (!canTurn) throw this.#tooLarge(facts);
    const size = Math.max(file.size, this.#known.leastSize);
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
    const [file] = this.#known.files;
    if (file === undefined) return;
    const locationId = this.#known.location();
    if (!isComplete && (this.#known.fields.conversationId === null || locationId === null))
      return this.#discard();
    this.#known.assertNotLonger(file);
    if (!isComplete && this.#known.mayBeTooLarge()) return this.#discard();
    if (file.isWhole && file.size === this.#known.fields.fileSize) await file.assertSound();
    const claim = this.#known.claim(file);
    const ticket = await this.#context.direct.initiate(claim, this.over);
    if (ticket === null) return this.#fallBack(isComplete);
    const size = claim.fileSize ?? file.size;
    if (size > ticket.maxFileSize) throw overLimit(ticket.maxFileSize, ticket.channel);
    this.#settle({ mode: 'direct', ...(await this.#context.direct.toAnswer(ticket)) });
  }

  /** Direct was chosen but is not offered: forward, where that was left to us and no byte is lost. */
  async #fallBack(isComplete: boolean): Promise<void> {
    if (this.#request.mode !== 'auto' || this.#carriage === 'discard') throw directUnavailable();
    if (this.#carriage === 'hold') return this.#route(isComplete);
    const facts = this.#known.routeFacts(false);
    this.#limit = this.#known.limitFor(this.#carriage);
    if (this.#known.leastSize > this.#limit) throw tooLarge(facts, this.#limit);
  }

  async #openForward(): Promise<void> {
    const locationId = this.#known.location();
    if (locationId === null) throw fieldOrder('locationId');
    for (const held of this.#known.files) if (held.isWhole) await held.assertSound();
    await this.#takeBudget(locationId);
    this.over.throwIfOver();
    const target = this.#forwardTarget(locationId);
    const [file] = this.#known.files;
    const bytes = this.#known.provenSize();
    if (bytes !== null) {
      required(this.#known.fields.conversationId, 'conversationId');
      required(this.#known.fields.contactId, 'contactId');
    }
    const exact = bytes !== null && file !== undefined ? { file, bytes } : null;
    this.#forward = new ForwardCarrier(target, this.#known.fields, exact);
    this.#carriage = 'forward';
    for (const held of this.#known.files) await this.#forward.beginFile(held);
  }

  async #sendHeld(): Promise<void> {
    required(this.#known.fields.contactId, 'contactId');
    for (const file of this.#known.files) {
      this.#known.assertDeclaredSize(file);
      await file.assertSound();
    }
    const locationId = required(this.#known.location(), 'locationId');
    await this.#takeBudget(locationId);
    this.over.throwIfOver();
    const target = this.#forwardTarget(locationId);
    const held = sendHeldFiles(target, this.#known.fields, this.#known.files);
    this.#heldUpload = held;
    this.#settle({ mode: 'forward', ...(await held.answer) });
  }

  async #goRelay(isComplete: boolean): Promise<void> {
    if (!isComplete && this.#known.location() === null) throw fieldOrder('locationId');
    this.#relay = new RelayCarrier({
      direct: this.#context.direct,
      agent: this.#context.client.options.agent,
      timeoutMs: this.#context.client.options.timeoutMs,
      over: this.over,
      onFailure: (error) => this.fail(error),
      onTiming: (timing) => this.#noteTiming(timing),
    });
    this.#carriage = 'relay';
    for (const file of this.#known.files) {
      if (file.isWhole) {
        this.#known.assertDeclaredSize(file);
        await file.assertSound();
      }
      await this.#beginRelay(file, file.isWhole ? file.size : null);
      if (file.isWhole) await this.#relay.endFile();
    }
    if (isComplete) await this.#finishRelay();
  }

  async #beginRelay(file: IncomingFile, wholeSize: number | null): Promise<void> {
    if (this.#known.fields.conversationId === null) throw fieldOrder('conversationId');
    const declared = this.#known.files.length === 1 ? this.#known.fields.fileSize : null;
    await this.#relay?.beginFile(this.#known.claim(file), file, wholeSize ?? declared);
  }

  async #finishRelay(): Promise<void> {
    if (this.#relay !== null) this.#settle({ mode: 'relay', uploadedFiles: await this.#relay.finish() });
  }

  /** Throws the rest of the file away: only the head and the fields are wanted. */
  #discard(): void {
    this.#carriage = 'discard';
    this.#forward?.destroy();
    this.#forward = null;
    for (const file of this.#known.files) file.release();
    this.#limit = this.#known.limitFor(this.#carriage);
  }

  async #takeBudget(locationId: string): Promise<void> {
    const { budget } = this.#context;
    if (!budget.takeNow(locationId)) await budget.take(locationId, this.over);
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
}
