import type { AppError } from '../errors/app-error.ts';
import type { UpstreamTiming } from '../leadway/forward-request.ts';
import { ForwardCarrier, type ForwardTarget, sendHeldFiles } from './forward-carrier.ts';
import type { IncomingFile } from './incoming-file.ts';
import { chooseRoute, forwardLimit, overLimit, tooLarge } from './mode.ts';
import { directUnavailable, RelayCarrier } from './relay-carrier.ts';
import type { UploadResponse } from './upload-answer.ts';
import type { UploadContext } from './upload-context.ts';
import { fieldOrder } from './upload-errors.ts';
import { assertRecipient, required } from './upload-fields.ts';
import type { Carriage, UploadKnowledge } from './upload-knowledge.ts';

/** What an {@link UploadTransport} tells the upload whose files it carries. */
export interface TransportEvents {
  /** Awaited before anything is decided that can't be taken back. Rejects when the upload must not go on. */
  beforeCommit(): Promise<void>;
  onSuccess(response: UploadResponse): void;
  onFailure(error: AppError): void;
  onTiming(timing: UpstreamTiming): void;
}

/**
 * How the files of one upload travel. They are held until enough is known to choose the route (`route-choice.ts`), then
 * forwarded or relayed while they arrive, or thrown away, since a signed URL needs only what is known of them.
 */
export class UploadTransport {
  readonly #context: UploadContext;
  readonly #known: UploadKnowledge;
  readonly #signal: AbortSignal;
  readonly #events: TransportEvents;
  #carriage: Carriage = 'hold';
  #heldBytes = 0;
  #forward: ForwardCarrier | null = null;
  #relay: RelayCarrier | null = null;
  #heldUpload: { destroy(): void } | null = null;
  /** The most that the current file may have as things stand. */
  #limit = 0;
  #isRouting = false;

  /** @param signal Aborted as soon as the upload has settled; later events are ignored. */
  constructor(context: UploadContext, known: UploadKnowledge, signal: AbortSignal, events: TransportEvents) {
    this.#context = context;
    this.#known = known;
    this.#signal = signal;
    this.#events = events;
  }

  /** Cuts every connection: nothing that was begun can become complete. */
  destroy(): void {
    this.#forward?.destroy();
    this.#relay?.destroy();
    this.#heldUpload?.destroy();
  }

  /** Reckons the limit of the current file anew, by what is known and by how it travels. */
  updateLimit(): void {
    this.#limit = this.#known.limitFor(this.#carriage);
  }

  /**
   * Begins a file whose head was accepted, and decides what can be decided then.
   *
   * @param toCome Bytes of the form from the file's beginning; null when unknown.
   * @param wholeSize Size of the file in bytes when there is no more than its head; null otherwise.
   */
  async beginFile(file: IncomingFile, toCome: number | null, wholeSize: number | null): Promise<void> {
    this.updateLimit();
    if (this.#carriage === 'forward') await this.#forward?.beginFile(file);
    if (this.#carriage === 'relay') await this.#beginRelay(file, wholeSize);
    // With little to come the end of the form is near, and everything will be known there.
    const isLong = (toCome ?? this.#known.fields.fileSize ?? 0) > this.#context.forward.holdBytes;
    if (this.#carriage === 'hold' && wholeSize === null && isLong) await this.#route(false);
  }

  /**
   * Takes the next bytes of `file`. A promise means: wait for it before the next ones.
   *
   * @throws AppError `FILE_TOO_LARGE` among others, when it has more than its route takes.
   */
  take(file: IncomingFile, chunk: Buffer): Promise<void> | undefined {
    const turning = file.size > this.#limit ? this.#passLimit(file) : undefined;
    const written = this.#write(file, chunk);
    return turning === undefined ? written : Promise.all([turning, written]).then(() => {});
  }

  /** Ends `file`, which was taken whole. */
  async endFile(file: IncomingFile): Promise<void> {
    if (this.#carriage !== 'forward' && this.#carriage !== 'relay') return;
    // Before the next byte: what follows a file that is too short must not fill up a length that was told.
    this.#known.assertDeclaredSize(file);
    await file.assertSound();
    await (this.#forward ?? this.#relay)?.endFile();
  }

  /** The form, whose first file `file` is, has come to its end: chooses the route if none is yet, and commits. */
  async finish(file: IncomingFile): Promise<void> {
    await this.#events.beforeCommit();
    if (this.#carriage === 'hold' || this.#carriage === 'discard') return this.#route(true);
    this.#known.assertDeclaredSize(file);
    chooseRoute({ ...this.#known.routeFacts(true), size: null });
    if (this.#carriage === 'relay') return this.#finishRelay();
    if (this.#forward !== null)
      this.#events.onSuccess({ mode: 'forward', ...(await this.#forward.finish(this.#known.fields)) });
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

  /** Leaves the hold, by the route that what is known so far asks for. */
  #route(isComplete: boolean): Promise<void> {
    return this.#whileRouting(async () => {
      const route = chooseRoute(this.#known.routeFacts(isComplete));
      if (route === 'wait') this.#discard();
      else if (route === 'direct') await this.#goDirect(isComplete);
      else if (this.#carriage === 'discard' && route === 'relay') throw fieldOrder('channel');
      else if (this.#carriage === 'discard') throw directUnavailable();
      else if (route === 'relay') await this.#goRelay(isComplete);
      else if (isComplete) await this.#sendHeld();
      else await this.#openForward();
      this.updateLimit();
    });
  }

  /** Takes a decision; what comes meanwhile is held, and asks for none. */
  async #whileRouting(decide: () => Promise<void>): Promise<void> {
    this.#isRouting = true;
    try {
      await decide();
    } finally {
      this.#isRouting = false;
    }
  }

  /** The file has more bytes than its route takes: `auto` can still turn to direct, everything else ends. */
  #passLimit(file: IncomingFile): Promise<void> | undefined {
    if (this.#isRouting) return undefined;
    const facts = this.#known.routeFacts(false);
    const canTurn = facts.mode === 'auto' && this.#carriage !== 'discard' && this.#known.isSizeBounded;
    if (!canTurn) throw tooLarge(facts, facts.isGroupSms ? forwardLimit(facts) : this.#limit);
    const size = Math.max(file.size, this.#known.leastSize);
    const route = chooseRoute({ ...facts, size });
    if (route === 'direct') return this.#whileRouting(() => this.#goDirect(false));
    this.#discard();
    return undefined;
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
    await this.#events.beforeCommit();
    const ticket = await this.#context.direct.initiate(claim, this.#signal);
    if (ticket === null) return this.#fallBack(isComplete);
    const size = claim.fileSize ?? file.size;
    if (size > ticket.maxFileSize) throw overLimit(ticket.maxFileSize, ticket.channel);
    this.#events.onSuccess({ mode: 'direct', ...(await this.#context.direct.toResponse(ticket)) });
    this.#forward?.destroy(); // bytes may have been on their way to Leadway already
  }

  /** Direct was chosen but is not offered: forward, where that was left to us and no byte is lost. */
  async #fallBack(isComplete: boolean): Promise<void> {
    if (this.#known.mode !== 'auto' || this.#carriage === 'discard') throw directUnavailable();
    if (this.#carriage === 'hold') return this.#route(isComplete);
    this.updateLimit();
    if (this.#known.leastSize > this.#limit) throw tooLarge(this.#known.routeFacts(false), this.#limit);
  }

  async #openForward(): Promise<void> {
    const locationId = this.#known.location();
    if (locationId === null) throw fieldOrder('locationId');
    for (const held of this.#known.files) if (held.isWhole) await held.assertSound();
    await this.#takeBudget(locationId);
    this.#signal.throwIfAborted();
    const target = this.#forwardTarget(locationId);
    const exact = this.#known.provenFile();
    if (exact !== null) assertRecipient(this.#known.fields);
    this.#forward = new ForwardCarrier(target, this.#known.fields, exact);
    this.#carriage = 'forward';
    for (const held of this.#known.files) await this.#forward.beginFile(held);
  }

  async #sendHeld(): Promise<void> {
    for (const file of this.#known.files) {
      this.#known.assertDeclaredSize(file);
      await file.assertSound();
    }
    const locationId = required(this.#known.location(), 'locationId');
    await this.#takeBudget(locationId);
    this.#signal.throwIfAborted();
    const target = this.#forwardTarget(locationId);
    const held = sendHeldFiles(target, this.#known.fields, this.#known.files);
    this.#heldUpload = held;
    this.#events.onSuccess({ mode: 'forward', ...(await held.response) });
  }

  async #goRelay(isComplete: boolean): Promise<void> {
    if (!isComplete && this.#known.location() === null) throw fieldOrder('locationId');
    await this.#events.beforeCommit();
    this.#relay = new RelayCarrier({
      direct: this.#context.direct,
      agent: this.#context.leadway.options.agent,
      timeoutMs: this.#context.leadway.options.timeoutMs,
      signal: this.#signal,
      ...this.#events,
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
    if (this.#relay !== null)
      this.#events.onSuccess({ mode: 'relay', uploadedFiles: await this.#relay.finish() });
  }

  /** Throws the rest of the file away: only the head and the fields are wanted. */
  #discard(): void {
    this.#carriage = 'discard';
    this.#forward?.destroy();
    this.#forward = null;
    for (const file of this.#known.files) file.release();
    this.updateLimit();
  }

  async #takeBudget(locationId: string): Promise<void> {
    const { quota } = this.#context;
    if (!quota.takeNow(locationId)) await quota.take(locationId, this.#signal);
  }

  #forwardTarget(locationId: string): ForwardTarget {
    return { leadway: this.#context.leadway, locationId, ...this.#events };
  }
}
