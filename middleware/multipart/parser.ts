import { badFilename, badMultipart, bodyTooLarge } from '../../server/errors/factories.ts';
import { assertNoBareLineFeed, type PartHeaders, parsePartHeaders } from './part-headers.ts';

/** Bounds of a form. */
export interface FormLimits {
  readonly maxFields: number;
  readonly maxParts: number;
  readonly maxFieldNameBytes: number;
  readonly maxFieldBytes: number;
  readonly maxPartHeaderBytes: number;
  /** All bytes of the body that are not file content. */
  readonly maxOverheadBytes: number;
}

/** Gets the parts of a form in their order. Where a boolean is returned, false means: wait for `resume`. */
export interface PartHandler {
  /** @param isTruncated The value is longer than allowed, and this is its beginning. */
  onField(headers: PartHeaders, value: Buffer, isTruncated: boolean): void;
  /** @param offset Where the file's content begins in the body. */
  onFile(headers: PartHeaders & { readonly filename: string }, offset: number): void;
  onFileData(chunk: Buffer): boolean;
  onFileEnd(): boolean;
}

type State =
  | 'preamble'
  | 'after-delimiter'
  | 'delimiter-spaces'
  | 'headers'
  | 'field'
  | 'file'
  | 'empty-file'
  | 'closing-line'
  | 'epilogue'
  | 'text-after-closing';

const [TAB, LF, CR, SPACE, DASH] = [9, 10, 13, 32, 45];
const CRLF_BYTES = 2;
const END_OF_HEADERS = Buffer.from('\r\n\r\n');

/**
 * Reads a `multipart/form-data` body (RFC 7578, RFC 2046 section 5.1.1) as it arrives. What
 * clients write around the parts (empty lines, spaces, an epilogue) is accepted; what another parser could read as other
 * parts or other content is rejected. File content is passed on without copying it.
 */
export class FormParser {
  readonly #delimiter: Buffer;
  readonly #limits: FormLimits;
  readonly #handler: PartHandler;
  #state: State = 'preamble';
  /** Bytes that can't be parsed before the next chunk. */
  #rest: Buffer = Buffer.alloc(0);
  #isWaiting = false;
  /** Whether no byte of the current part's content has been read yet. */
  #isContentStart = false;
  #consumed = 0;
  #fileBytes = 0;
  #parts = 0;
  #fields = 0;
  #field: { headers: PartHeaders; chunks: Buffer[]; bytes: number } | null = null;

  constructor(boundary: string, limits: FormLimits, handler: PartHandler) {
    this.#delimiter = Buffer.from(`\r\n--${boundary}`);
    this.#limits = limits;
    this.#handler = handler;
  }

  /** Whether the handler asked to wait: no more `write` before `resume`. */
  get isWaiting(): boolean {
    return this.#isWaiting;
  }

  /** @throws AppError `BAD_MULTIPART`, `BODY_TOO_LARGE`, `INVALID_FIELD`, what the handler throws. */
  write(chunk: Buffer): void {
    this.#parse(this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]));
  }

  /** Goes on after the handler asked to wait. Throws what {@link write} throws. */
  resume(): void {
    this.#isWaiting = false;
    this.#parse(this.#rest);
  }

  /** @throws AppError `BAD_MULTIPART` when the body ended before its form did. */
  end(): void {
    switch (this.#state) {
      case 'closing-line':
      case 'epilogue':
      case 'text-after-closing':
        return;
      case 'headers':
        // Where all lines end in LF, the headers have no end.
        assertNoBareLineFeed(this.#rest);
    }
    throw badMultipart('truncated');
  }

  #parse(data: Buffer): void {
    let offset = 0;
    while (!this.#isWaiting) {
      const next = this.#step(data, offset);
      if (next === null) break;
      offset = next;
    }
    this.#rest = offset === 0 ? data : data.subarray(offset);
    this.#consumed += offset;
    this.#assertOverhead();
  }

  /** Parses from `offset`. Returns the offset to go on from, or null when more bytes are needed. */
  #step(data: Buffer, offset: number): number | null {
    switch (this.#state) {
      case 'preamble':
        return this.#readFirstBoundary(data, offset);
      case 'after-delimiter':
      case 'delimiter-spaces':
        return this.#readDelimiterEnd(data, offset);
      case 'headers':
        return this.#readHeaders(data, offset);
      case 'closing-line':
        return this.#readClosingLine(data, offset);
      case 'epilogue':
        return data.length === offset ? null : data.length;
      case 'text-after-closing':
        return this.#readTextAfterClosing(data, offset);
      default:
        return this.#readContent(data, offset);
    }
  }

  #readFirstBoundary(data: Buffer, offset: number): number | null {
    let at = offset;
    while (data[at] === CR && data[at + 1] === LF) at += CRLF_BYTES;
    if (at > offset) return at;
    const boundary = this.#delimiter.subarray(CRLF_BYTES);
    const given = data.subarray(at, at + boundary.length);
    if (given.length === 0 || (given.length === 1 && given[0] === CR)) return null;
    if (!boundary.subarray(0, given.length).equals(given)) {
      if (given[0] === LF) throw badMultipart('lineEnds');
      throw badMultipart(given[0] === DASH && given[1] === DASH ? 'otherBoundary' : 'preamble');
    }
    if (given.length < boundary.length) return null;
    this.#state = 'after-delimiter';
    return at + boundary.length;
  }

  #readDelimiterEnd(data: Buffer, offset: number): number | null {
    if (data.length - offset < 2) return null;
    if (data[offset] === CR && data[offset + 1] === LF) {
      this.#beginPart();
      return offset + CRLF_BYTES;
    }
    if (this.#state === 'after-delimiter' && data[offset] === DASH && data[offset + 1] === DASH) {
      this.#state = 'closing-line';
      return offset + 2;
    }
    const at = skipBlanks(data, offset);
    if (at === offset) {
      if (data[at] === LF) throw badMultipart('lineEnds');
      throw badMultipart(this.#parts === 0 ? 'otherBoundary' : 'boundaryInContent');
    }
    this.#state = 'delimiter-spaces';
    return at;
  }

  #readClosingLine(data: Buffer, offset: number): number | null {
    const at = skipBlanks(data, offset);
    if (at > offset) return at;
    const isMaybeLineEnd = data.length - at < 2 && (at === data.length || data[at] === CR);
    if (isMaybeLineEnd) return null;
    const isLineEnd = data[at] === CR && data[at + 1] === LF;
    this.#state = isLineEnd ? 'epilogue' : 'text-after-closing';
    return isLineEnd ? at + CRLF_BYTES : at;
  }

  /**
   * There is text after the closing boundary on its line. Some parsers take such a line for content, so the form may
   * have another boundary further on. Without one, there is a single reading in which the form is complete.
   */
  #readTextAfterClosing(data: Buffer, offset: number): number | null {
    if (data.includes(this.#delimiter, offset)) throw badMultipart('boundaryInContent');
    const end = this.#possibleDelimiter(data, offset);
    return end === offset ? null : end;
  }

  #beginPart(): void {
    this.#parts += 1;
    if (this.#parts > this.#limits.maxParts) throw badMultipart('parts', { max: this.#limits.maxParts });
    this.#state = 'headers';
  }

  #readHeaders(data: Buffer, offset: number): number | null {
    const end = data.indexOf(END_OF_HEADERS, offset);
    const max = this.#limits.maxPartHeaderBytes;
    if ((end === -1 ? data.length : end) - offset > max) {
      assertNoBareLineFeed(data.subarray(offset, offset + max));
      throw badMultipart('partHeaders', { max });
    }
    if (end === -1) return null;
    const headers = parsePartHeaders(data.subarray(offset, end));
    const begin = end + END_OF_HEADERS.length;
    this.#openPart(headers, this.#consumed + begin);
    return begin;
  }

  #openPart(headers: PartHeaders, contentOffset: number): void {
    const { maxFieldNameBytes, maxFields } = this.#limits;
    if (Buffer.byteLength(headers.name) > maxFieldNameBytes) {
      throw badMultipart('fieldName', { max: maxFieldNameBytes });
    }
    this.#isContentStart = true;
    if (headers.filename === null) {
      this.#fields += 1;
      if (this.#fields > maxFields) throw badMultipart('fields', { max: maxFields });
      this.#field = { headers, chunks: [], bytes: 0 };
      this.#state = 'field';
    } else if (headers.filename === '') {
      this.#state = 'empty-file';
    } else {
      this.#state = 'file';
      this.#handler.onFile({ ...headers, filename: headers.filename }, contentOffset);
    }
  }

  #readContent(data: Buffer, offset: number): number | null {
    if (this.#isContentStart && !this.#isPastContentStart(data, offset)) return null;
    const found = data.indexOf(this.#delimiter, offset);
    const end = found === -1 ? this.#possibleDelimiter(data, offset) : found;
    const mayGoOn = end === offset || this.#passContent(data.subarray(offset, end));
    if (found === -1) {
      this.#isWaiting = !mayGoOn;
      return end === offset ? null : end;
    }
    if (!mayGoOn) {
      this.#isWaiting = true;
      return end;
    }
    this.#isWaiting = !this.#closePart();
    return found + this.#delimiter.length;
  }

  /**
   * Some parsers take the preceding CRLF as part of the delimiter and end an empty part here.
   *
   * @throws AppError `BAD_MULTIPART` when the content begins with the boundary.
   */
  #isPastContentStart(data: Buffer, offset: number): boolean {
    if (offset === data.length) return false;
    if (data[offset] === DASH) {
      const boundary = this.#delimiter.subarray(CRLF_BYTES);
      const given = data.subarray(offset, offset + boundary.length);
      if (given.equals(boundary)) throw badMultipart('boundaryInContent');
      if (given.equals(boundary.subarray(0, given.length))) return false;
    }
    this.#isContentStart = false;
    return true;
  }

  #closePart(): boolean {
    const closed = this.#state;
    this.#state = 'after-delimiter';
    if (closed === 'file') return this.#handler.onFileEnd();
    const field = this.#field;
    this.#field = null;
    if (field !== null) this.#handler.onField(field.headers, Buffer.concat(field.chunks), false);
    return true;
  }

  /** Where a delimiter may begin at the end of `data`, whose rest has not arrived. */
  #possibleDelimiter(data: Buffer, offset: number): number {
    const from = Math.max(offset, data.length - this.#delimiter.length + 1);
    const at = data.lastIndexOf(CR);
    if (at < from) return data.length;
    return this.#delimiter.subarray(0, data.length - at).equals(data.subarray(at)) ? at : data.length;
  }

  #passContent(content: Buffer): boolean {
    switch (this.#state) {
      case 'file':
        this.#fileBytes += content.length;
        return this.#handler.onFileData(content);
      case 'empty-file':
        throw badFilename('missing');
      default:
        this.#holdField(content);
        return true;
    }
  }

  #holdField(content: Buffer): void {
    const field = this.#field;
    if (field === null) return;
    field.chunks.push(content);
    field.bytes += content.length;
    if (field.bytes <= this.#limits.maxFieldBytes) return;
    this.#field = null; // the rest of it is skipped
    this.#handler.onField(field.headers, Buffer.concat(field.chunks), true);
  }

  #assertOverhead(): void {
    const limit = this.#limits.maxOverheadBytes;
    if (this.#consumed - this.#fileBytes > limit) {
      throw bodyTooLarge(limit);
    }
  }
}

function skipBlanks(data: Buffer, offset: number): number {
  let at = offset;
  while (data[at] === SPACE || data[at] === TAB) at += 1;
  return at;
}
