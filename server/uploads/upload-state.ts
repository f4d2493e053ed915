import type { Client } from '../auth/authenticator.ts';
import { type Assessment, assessDelivery } from '../delivery/assess.ts';
import { toUser, type UploadTarget } from '../embedding.ts';
import { directUnavailable, fieldOrder, sizeMismatch, tooManyFiles } from '../errors/factories.ts';
import type { IdempotentRequest } from '../idempotency/idempotency.ts';
import { isTooLarge, type LeadwayRejection } from '../leadway/errors.ts';
import { MIN_LIMIT_BYTES } from '../leadway/size-limits.ts';
import type { DirectFile } from './direct.ts';
import { NO_FIELDS, parseUploadFields, type RawFields, required, type UploadFields } from './fields.ts';
import type { IncomingFile } from './incoming-file.ts';
import { type LocationRule, resolveLocation } from './locations.ts';
import {
  channelMaxBytes,
  forwardLimit,
  forwardOnlyField,
  goesToStorage,
  LARGEST_CHANNEL_BYTES,
  MIB,
  type ModeFacts,
  type RequestedMode,
} from './mode.ts';
import type { SinkKind } from './sinks/sink.ts';
import type { UploadContext } from './upload.ts';

/** What is known of an upload before its body. */
export interface UploadOptions {
  /** Who uploads; tickets are bound to it. */
  readonly client: Client;
  readonly mode: RequestedMode;
  /** From the query; null when it is not there. */
  readonly locationId: string | null;
  /** Length of the whole body in bytes; null when it is chunked. */
  readonly contentLength: number | null;
  /** Bytes that follow the last part: its CRLF and the closing delimiter. */
  readonly closingBytes: number;
  /** Makes the upload happen at most once; null for a request without `Idempotency-Key`. */
  readonly idempotent?: IdempotentRequest | null;
}

/**
 * `Content-Length` is an upper bound of the file's size. Fields may follow the file; they never take more than this.
 */
const FIELDS_SLACK = 16 * 1024;
/** No part is shorter: its `Content-Disposition:form-data;name=a` alone has more bytes. */
const SMALLEST_PART_BYTES = 32;

/** What is known of an upload while its form arrives: its fields, its files, their sizes and where they go. */
export class UploadState {
  readonly files: IncomingFile[] = [];
  readonly #context: UploadContext;
  readonly #options: UploadOptions;
  readonly #locations: LocationRule;
  #fields = NO_FIELDS;
  /** Bytes from the start of the only file to the closing delimiter; null if unknown or if there are several files. */
  #bytesToCome: number | null = null;
  /** Whether a file arrived while its location was unknown. */
  #isBeforeLocation = false;
  /** Whether this file is a probe of Leadway's size limit. */
  #isLimitTest = false;

  /** @throws AppError `INVALID_FIELD`, `LOCATION_NOT_ALLOWED` */
  constructor(context: UploadContext, options: UploadOptions) {
    this.#context = context;
    this.#options = options;
    this.#locations = context.locationsFor(options.client);
    // The query parameter must be valid as a field.
    if (options.locationId !== null) parseUploadFields({ locationId: options.locationId }, []);
    this.location();
  }

  /** The requested mode. */
  get mode(): RequestedMode {
    return this.#options.mode;
  }

  /** The fields that have arrived. */
  get fields(): UploadFields {
    return this.#fields;
  }

  /** Whether the length of the body bounds the size of the file. */
  get isSizeBounded(): boolean {
    return this.#bytesToCome !== null;
  }

  /** A lower bound of the size of the file in bytes, by the length of the body. */
  get minFileBytes(): number {
    return (this.#bytesToCome ?? 0) - FIELDS_SLACK;
  }

  /** @throws AppError for a field that is wrong or too late. */
  setFields(raw: RawFields): void {
    this.#fields = parseUploadFields(raw, this.#context.attachmentUrlOrigins);
    if (this.location() !== null && this.#isBeforeLocation) throw fieldOrder('locationId');
  }

  /** @throws AppError `TOO_MANY_FILES` when there may be no more. */
  assertRoomForFile(): void {
    const { isGroupSms, fileSize } = this.#fields;
    const max = isGroupSms || fileSize !== null ? 1 : this.#context.maxFiles;
    if (this.files.length >= max) throw tooManyFiles(max);
    this.#isBeforeLocation ||= this.location() === null;
  }

  /**
   * Records where in the body the latest file starts. Returns how many bytes are left up to the closing delimiter; null
   * if unknown.
   */
  setOffset(offset: number): number | null {
    const { contentLength, closingBytes } = this.#options;
    const toCome = contentLength === null ? null : contentLength - offset - closingBytes;
    this.#bytesToCome = this.files.length === 1 ? toCome : null;
    return toCome;
  }

  /** Size of `file` in bytes, where that is certain before its end; null otherwise. */
  sizeOf(file: IncomingFile): number | null {
    return file.expectedSize ?? (this.files.length === 1 ? this.#fields.fileSize : null);
  }

  /** Null if none is named and there are several. */
  location(): string | null {
    return resolveLocation(this.#locations, this.#options.locationId, this.#fields.locationId);
  }

  /** Whose upload it is and where it goes, as far as that is known. */
  target(): UploadTarget {
    const { conversationId, contactId } = this.#fields;
    return { user: toUser(this.#options.client), locationId: this.location(), conversationId, contactId };
  }

  /** The data to request a signed URL with. @throws AppError `MISSING_FIELD` */
  directFileOf(file: IncomingFile): DirectFile {
    const { conversationId, contactId, fileSize } = this.#fields;
    return {
      client: this.#options.client.id,
      locationId: required(this.location(), 'locationId'),
      conversationId: required(conversationId, 'conversationId'),
      contactId,
      filename: file.name,
      contentType: file.contentType,
      fileSize: this.files.length === 1 ? fileSize : null,
      channel: this.#channel,
      delivery: this.assessDelivery(),
    };
  }

  /** How the channel will handle the files, as far as their bytes have arrived. */
  assessDelivery(): Assessment {
    const files = this.files.map((file) => {
      const size = this.sizeOf(file) ?? (file.isWhole ? file.size : null);
      return { name: file.name, size, media: file.media };
    });
    return assessDelivery(this.#channel, files);
  }

  /** Refreshes Leadway's known limits before a file of up to `toCome` bytes. */
  async prepareLimits(toCome: number | null): Promise<void> {
    const { fileSize } = this.#fields;
    const most = fileSize ?? toCome ?? Number.POSITIVE_INFINITY;
    if (goesToStorage(this.#options.mode) || most <= MIN_LIMIT_BYTES) return;
    await this.#context.sizeLimits.refresh();
    if (fileSize !== null && this.canTestLimit(fileSize)) await this.testLimit();
  }

  /** Whether Leadway's known limit is all that keeps a file of `size` bytes from its location. */
  canTestLimit(size: number): boolean {
    const facts = this.modeFacts(false);
    const ofSettings = forwardLimit({ ...facts, ...this.#forwardLimits(Number.POSITIVE_INFINITY) });
    const isBetween = size > forwardLimit(facts) && size <= ofSettings;
    if (this.location() === null || !isBetween || facts.fileCount > 1 || goesToStorage(facts.mode))
      return false;
    const mayGoDirect = facts.mode === 'auto' && facts.isDirectOffered && forwardOnlyField(facts) === null;
    return !mayGoDirect || size > channelMaxBytes(this.#channel);
  }

  /** Asks to forward one file over Leadway's known limit, to find out whether it still holds. */
  async testLimit(): Promise<boolean> {
    const locationId = required(this.location(), 'locationId');
    this.#isLimitTest = await this.#context.sizeLimits.claimTest(locationId, this.#channel);
    return this.#isLimitTest;
  }

  /** Remembers what a rejection by Leadway says about its limits. `isComplete`: Leadway had the whole form. */
  noteRejected(rejection: LeadwayRejection, isComplete: boolean): void {
    const [file, ...others] = this.files;
    const locationId = this.location();
    if (!isTooLarge(rejection) || file === undefined || others.length > 0 || locationId === null) return;
    const size = this.#fields.fileSize ?? (isComplete ? file.size : null);
    if (size !== null) this.#context.sizeLimits.noteRejected(locationId, this.#channel, size);
  }

  /** Leadway has accepted the files. */
  noteAccepted(): void {
    const locationId = this.location();
    const largest = Math.max(...this.files.map(({ size }) => size));
    if (locationId !== null) this.#context.sizeLimits.noteAccepted(locationId, this.#channel, largest);
  }

  /** @param isComplete Whether the form has arrived whole. */
  modeFacts(isComplete: boolean): ModeFacts {
    const { defaultChannel, direct } = this.#context;
    const { isGroupSms, isSecureAttachment, channel, fileSize } = this.#fields;
    const [file] = this.files;
    const locationId = this.location();
    return {
      mode: this.#options.mode,
      isGroupSms: isGroupSms ?? false,
      isSecureAttachment: isSecureAttachment ?? false,
      fileCount: this.files.length,
      size: fileSize ?? this.#certainSize() ?? (isComplete && file?.isWhole ? file.size : null),
      channel,
      defaultChannel,
      isComplete,
      isDirectOffered: locationId === null || direct.isOffered(locationId),
      isDirectAllowed: this.#context.isDirectAllowed,
      ...this.#forwardLimits(),
    };
  }

  /** Largest size of a file in `sink` by what is known, in bytes. */
  limitFor(sink: SinkKind): number {
    const facts = this.modeFacts(false);
    if (sink === 'relay') return Number.POSITIVE_INFINITY; // its ticket has the limit
    const isForward = facts.mode === 'forward' || (facts.mode === 'auto' && sink !== 'discard');
    if (isForward) return forwardLimit(facts);
    return facts.channel === null ? LARGEST_CHANNEL_BYTES : channelMaxBytes(facts.channel);
  }

  /** Whether the body is long enough that the file might exceed the channel's limit. */
  mayBeTooLarge(): boolean {
    const { fileSize } = this.#fields;
    const limit = channelMaxBytes(this.#channel);
    return fileSize === null && (this.#bytesToCome ?? 0) > limit;
  }

  /** The only file and its declared size, when the length of the body proves that nothing follows it. */
  fileWithKnownEnd(): { readonly file: IncomingFile; readonly bytes: number } | null {
    const { fileSize } = this.#fields;
    const toCome = this.#bytesToCome;
    const [file] = this.files;
    if (fileSize === null || toCome === null || file === undefined) return null;
    // Some clients leave out the line end after the closing delimiter, others write two.
    const extra = toCome - fileSize;
    return extra >= -2 && extra < SMALLEST_PART_BYTES ? { file, bytes: fileSize } : null;
  }

  /**
   * Whether a file that ended within its leading bytes is complete; for a direct upload, a client may send only those.
   */
  completenessOf(leadingBytes: Buffer): 'whole' | 'unknown' {
    const { mode } = this.#options;
    const mustBeWhole =
      mode === 'forward' || mode === 'relay' || this.#fields.fileSize === leadingBytes.length;
    return mustBeWhole ? 'whole' : 'unknown';
  }

  /** @throws AppError `SIZE_MISMATCH` when the file has more bytes than were declared. */
  assertNotLonger(file: IncomingFile): void {
    const { fileSize } = this.#fields;
    if (fileSize === null || this.files.length !== 1 || file.size <= fileSize) return;
    throw sizeMismatch(fileSize, file.size);
  }

  /**
   * Compares a whole file with its declared size.
   *
   * @throws AppError `SIZE_MISMATCH`; `DIRECT_UNAVAILABLE` when only the leading bytes were sent, of a file that would
   *   go direct if Leadway offered that.
   */
  assertDeclaredSize(file: IncomingFile): void {
    const { fileSize } = this.#fields;
    if (fileSize === null) return;
    if (this.files.length > 1) throw tooManyFiles(1);
    const facts = this.modeFacts(true);
    const { mode, isDirectOffered, isDirectAllowed, forwardMaxBytes } = facts;
    const isForwarded = (isDirectOffered && isDirectAllowed) || forwardOnlyField(facts) !== null;
    const isMeantForDirect = mode === 'auto' && !isForwarded && fileSize > forwardMaxBytes;
    if (isMeantForDirect && file.size < fileSize) {
      throw directUnavailable(isDirectAllowed ? 'forward' : 'relay');
    }
    if (file.size !== fileSize) throw sizeMismatch(fileSize, file.size);
  }

  get #channel(): string {
    return this.#fields.channel ?? this.#context.defaultChannel;
  }

  /** What Leadway is known to accept, in bytes; infinite if nothing is known. */
  #leadwayMaxBytes(): number {
    const locationId = this.location();
    const isUnknown = locationId === null || this.#isLimitTest;
    return isUnknown
      ? Number.POSITIVE_INFINITY
      : this.#context.sizeLimits.limitFor(locationId, this.#channel);
  }

  /** The limits of the settings, none of them above `most`. */
  #forwardLimits(most = this.#leadwayMaxBytes()): Pick<ModeFacts, 'forwardMaxBytes' | 'fallbackMaxBytes'> {
    const { maxBytes, fallbackMaxBytes } = this.#context.forward;
    return {
      forwardMaxBytes: Math.min(maxBytes, most),
      fallbackMaxBytes: Math.min(fallbackMaxBytes, most),
    };
  }

  #certainSize(): number | null {
    const { maxFiles, isDirectAllowed } = this.#context;
    const { forwardMaxBytes } = this.#forwardLimits();
    if (!isDirectAllowed && this.#options.mode === 'auto') {
      // Relayed from its first byte: what was forwarded can't be taken back. Several files can be relayed too.
      const limit = channelMaxBytes(this.#channel);
      return this.minFileBytes > forwardMaxBytes && this.minFileBytes <= limit ? this.minFileBytes : null;
    }
    // A direct upload has one file; in other modes, a body this long can't be forwarded anyway.
    const certain = this.#options.mode === 'direct' ? FIELDS_SLACK : maxFiles * forwardMaxBytes + MIB;
    return this.#bytesToCome !== null && this.#bytesToCome > certain ? this.minFileBytes : null;
  }
}
