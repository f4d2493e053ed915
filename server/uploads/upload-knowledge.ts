import type { Client } from '../auth/authenticator.ts';
import { toUser, type UploadTarget } from '../embedding.ts';
import { channelMaxBytes, LARGEST_CHANNEL_BYTES } from './channels.ts';
import type { DirectFile } from './direct-uploads.ts';
import type { IncomingFile } from './incoming-file.ts';
import { type LocationRule, resolveLocation } from './locations.ts';
import { forwardLimit, type Mode, type RouteFacts } from './mode.ts';
import { directUnavailable } from './relay-carrier.ts';
import type { UploadContext } from './upload-context.ts';
import { fieldOrder, sizeMismatch, tooManyFiles } from './upload-errors.ts';
import {
  NO_FIELDS,
  parseUploadFields,
  type RawFields,
  required,
  type UploadFields,
} from './upload-fields.ts';

/** What is known of an upload before its body. */
export interface UploadRequest {
  /** Who uploads; tickets are bound to it. */
  readonly client: Client;
  readonly mode: Mode;
  /** From the query; null when it is not there. */
  readonly locationId: string | null;
  /** Length of the whole body in bytes; null when it is chunked. */
  readonly contentLength: number | null;
  /** Bytes that follow the last part: its CRLF and the closing delimiter. */
  readonly closingBytes: number;
}

/** What becomes of the bytes of a file. */
export type Carriage = 'hold' | 'discard' | 'forward' | 'relay';

/** Fields that follow the file make `Content-Length` an upper bound of its size; hardly a form has more of them. */
const FIELDS_SLACK = 16 * 1024;
/** No part is as short: its `Content-Disposition:form-data;name=a` alone has more bytes. */
const SMALLEST_PART_BYTES = 32;
const MIB = 1024 * 1024;

/** What is known of an upload while its form arrives: its fields, its files, and what they say of size and place. */
export class UploadKnowledge {
  readonly files: IncomingFile[] = [];
  readonly #context: UploadContext;
  readonly #request: UploadRequest;
  readonly #locations: LocationRule;
  #fields = NO_FIELDS;
  /** Bytes between the beginning of the only file so far and the closing delimiter; null when unknown. */
  #bytesToCome: number | null = null;
  /** A file came while its location was unknown. */
  #isBeforeLocation = false;

  /** @throws AppError `INVALID_FIELD`, `LOCATION_NOT_ALLOWED` */
  constructor(context: UploadContext, request: UploadRequest) {
    this.#context = context;
    this.#request = request;
    this.#locations = context.locationsFor(request.client);
    // What comes in the query has the form of a field too.
    if (request.locationId !== null) parseUploadFields({ locationId: request.locationId }, []);
    this.location();
  }

  /** The way that was asked for. */
  get mode(): Mode {
    return this.#request.mode;
  }

  /** The fields that have come so far. */
  get fields(): UploadFields {
    return this.#fields;
  }

  /** Whether the length of the body bounds the size of the file. */
  get isSizeBounded(): boolean {
    return this.#bytesToCome !== null;
  }

  /** A size that the file has at the least, as far as the length of the body tells; in bytes. */
  get leastSize(): number {
    return (this.#bytesToCome ?? 0) - FIELDS_SLACK;
  }

  /** @throws AppError for a field that is wrong, or too late. */
  learnFields(raw: RawFields): void {
    this.#fields = parseUploadFields(raw, this.#context.attachmentUrlOrigins);
    if (this.location() !== null && this.#isBeforeLocation) throw fieldOrder('locationId');
  }

  /** @throws AppError `TOO_MANY_FILES` when one more is one too many. */
  assertRoomForFile(): void {
    const { isGroupSms, fileSize } = this.#fields;
    const max = isGroupSms || fileSize !== null ? 1 : this.#context.maxFiles;
    if (this.files.length >= max) throw tooManyFiles(max);
    this.#isBeforeLocation ||= this.location() === null;
  }

  /** Learns where in the body a file begins; tells how much follows from there, null when that is unknown. */
  learnOffset(offset: number): number | null {
    const { contentLength, closingBytes } = this.#request;
    const toCome = contentLength === null ? null : contentLength - offset - closingBytes;
    this.#bytesToCome = this.files.length === 1 ? toCome : null;
    return toCome;
  }

  /** Null when none is named and several could be meant. */
  location(): string | null {
    return resolveLocation(this.#locations, this.#request.locationId, this.#fields.locationId);
  }

  /** Whose upload it is and where it goes, as far as that is known. */
  target(): UploadTarget {
    const { conversationId, contactId } = this.#fields;
    return { user: toUser(this.#request.client), locationId: this.location(), conversationId, contactId };
  }

  /** @throws AppError `MISSING_FIELD` */
  claim(file: IncomingFile): DirectFile {
    const { conversationId, channel, fileSize } = this.#fields;
    return {
      client: this.#request.client.id,
      locationId: required(this.location(), 'locationId'),
      conversationId: required(conversationId, 'conversationId'),
      filename: file.name,
      contentType: file.contentType,
      fileSize: this.files.length === 1 ? fileSize : null,
      channel: channel ?? this.#context.defaultChannel,
    };
  }

  /** @param isComplete Whether the form has come to its end. */
  routeFacts(isComplete: boolean): RouteFacts {
    const { forward, defaultChannel, direct } = this.#context;
    const { isGroupSms, channel, fileSize } = this.#fields;
    const [file] = this.files;
    const locationId = this.location();
    return {
      mode: this.#request.mode,
      isGroupSms: isGroupSms ?? false,
      fileCount: this.files.length,
      size: fileSize ?? this.#certainSize() ?? (isComplete && file?.isWhole ? file.size : null),
      channel,
      defaultChannel,
      isComplete,
      isDirectOffered: locationId === null || direct.isOffered(locationId),
      forwardMaxBytes: forward.maxBytes,
      fallbackMaxBytes: forward.fallbackMaxBytes,
    };
  }

  /** The most that a file may have as things stand, in bytes. */
  limitFor(carriage: Carriage): number {
    const facts = this.routeFacts(false);
    if (carriage === 'relay') return Number.POSITIVE_INFINITY;
    const isForward = facts.mode === 'forward' || (facts.mode === 'auto' && carriage !== 'discard');
    if (isForward) return forwardLimit(facts);
    return facts.channel === null ? LARGEST_CHANNEL_BYTES : channelMaxBytes(facts.channel);
  }

  /** Too close to the channel's limit for the length of the body to tell; the end of the file will. */
  mayBeTooLarge(): boolean {
    const { fileSize, channel } = this.#fields;
    const limit = channelMaxBytes(channel ?? this.#context.defaultChannel);
    return fileSize === null && (this.#bytesToCome ?? 0) > limit;
  }

  /** The only file and its declared size, when the length of the body proves that it is the last thing in it. */
  provenFile(): { readonly file: IncomingFile; readonly bytes: number } | null {
    const { fileSize } = this.#fields;
    const toCome = this.#bytesToCome;
    const [file] = this.files;
    if (fileSize === null || toCome === null || file === undefined) return null;
    // Some clients leave out the line end after the closing delimiter, others write two.
    const extra = toCome - fileSize;
    return extra >= -2 && extra < SMALLEST_PART_BYTES ? { file, bytes: fileSize } : null;
  }

  /** Whether a file that ended within its head is all there: for direct uploads, the head alone may be sent. */
  extentOf(head: Buffer): 'whole' | 'maybe' {
    const { mode } = this.#request;
    const mustBeWhole = mode === 'forward' || mode === 'relay' || this.#fields.fileSize === head.length;
    return mustBeWhole ? 'whole' : 'maybe';
  }

  /** @throws AppError `SIZE_MISMATCH` when the file has more bytes than were declared. */
  assertNotLonger(file: IncomingFile): void {
    const { fileSize } = this.#fields;
    if (fileSize === null || this.files.length !== 1 || file.size <= fileSize) return;
    throw sizeMismatch(fileSize, file.size);
  }

  /**
   * Holds a whole file to its declared size.
   *
   * @throws AppError `SIZE_MISMATCH`; `DIRECT_UNAVAILABLE` when it is the head alone, of a file that would have gone
   *   direct where that is offered.
   */
  assertDeclaredSize(file: IncomingFile): void {
    const { fileSize } = this.#fields;
    if (fileSize === null) return;
    if (this.files.length > 1) throw tooManyFiles(1);
    const { mode, isDirectOffered, isGroupSms, forwardMaxBytes } = this.routeFacts(true);
    const isMeantForDirect = mode === 'auto' && !isDirectOffered && !isGroupSms && fileSize > forwardMaxBytes;
    if (isMeantForDirect && file.size < fileSize) throw directUnavailable();
    if (file.size !== fileSize) throw sizeMismatch(fileSize, file.size);
  }

  #certainSize(): number | null {
    const { forward, maxFiles } = this.#context;
    // A direct upload has one file; otherwise so long a body can only be one that can't be forwarded.
    const certain = this.#request.mode === 'direct' ? FIELDS_SLACK : maxFiles * forward.maxBytes + MIB;
    return this.#bytesToCome !== null && this.#bytesToCome > certain ? this.leastSize : null;
  }
}
