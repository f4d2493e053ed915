import { appError } from '../../server/errors/app-error.ts';
import { badMultipart } from './bad-multipart.ts';
import { type PartHead, parsePartHead } from './part-head.ts';

/** Bounds of a form. */
export interface FormLimits {
  readonly maxFields: number;
  readonly maxParts: number;
  readonly maxFieldNameBytes: number;
  readonly maxFieldBytes: number;
  readonly maxPartHeadBytes: number;
  /** All bytes of the body that are not file content. */
  readonly maxOverheadBytes: number;
}

/** Told of the parts of a form in their order. Where a boolean is returned, false means: wait for `resume`. */
export interface FormHandler {
  /** @param isTruncated Whether the value is longer than allowed: told as soon as it is, and it is not whole. */
  onField(name: string, value: Buffer, isTruncated: boolean): void;
  /** @param offset Where the file's content begins in the body. */
  onFile(head: PartHead & { readonly filename: string }, offset: number): void;
  onFileData(chunk: Buffer): boolean;
  onFileEnd(): boolean;
}

type State = 'preamble' | 'after-delimiter' | 'head' | 'field' | 'file' | 'empty-file' | 'epilogue';

const CR = 13;
const CRLF = Buffer.from('\r\n');
const END_OF_HEAD = Buffer.from('\r\n\r\n');

/**
 * Reads a `multipart/form-data` body (RFC 7578, RFC 2046 section 5.1.1) as it arrives, strictly: whatever
 * another parser could read in another way is refused. It searches the boundary with `Buffer.indexOf`, which
 * is native code, and hands file content on without copying it.
 */
export class FormParser {
  readonly #delimiter: Buffer;
  readonly #limits: FormLimits;
  readonly #handler: FormHandler;
  #state: State = 'preamble';
  /** Bytes that could not be judged yet; followed by the next chunk. */
  #rest: Buffer = Buffer.alloc(0);
  #isWaiting = false;
  #consumed = 0;
  #fileBytes = 0;
  #parts = 0;
  #fields = 0;
  #field: { name: string; chunks: Buffer[]; bytes: number } | null = null;

  constructor(boundary: string, limits: FormLimits, handler: FormHandler) {
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
    const isClosed = this.#state === 'epilogue' && (this.#rest.length === 0 || this.#rest.equals(CRLF));
    if (!isClosed) throw badMultipart('it ends before the closing boundary');
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

  /** Parses from `offset`; the offset where to go on, or null when more bytes are needed. */
  #step(data: Buffer, offset: number): number | null {
    switch (this.#state) {
      case 'preamble':
        return this.#skipFirstBoundary(data, offset);
      case 'after-delimiter':
        return this.#readDelimiterEnd(data, offset);
      case 'head':
        return this.#readHead(data, offset);
      case 'epilogue':
        if (data.length - offset > CRLF.length) throw badMultipart('bytes follow the closing boundary');
        if (!CRLF.subarray(0, data.length - offset).equals(data.subarray(offset))) {
          throw badMultipart('bytes follow the closing boundary');
        }
        return null;
      default:
        return this.#readContent(data, offset);
    }
  }

  #skipFirstBoundary(data: Buffer, offset: number): number | null {
    const expected = this.#delimiter.subarray(CRLF.length);
    const given = data.subarray(offset, offset + expected.length);
    if (!expected.subarray(0, given.length).equals(given))
      throw badMultipart('it must begin with the boundary');
    if (given.length < expected.length) return null;
    this.#state = 'after-delimiter';
    return offset + expected.length;
  }

  #readDelimiterEnd(data: Buffer, offset: number): number | null {
    if (data.length - offset < 2) return null;
    const end = data.toString('latin1', offset, offset + 2);
    if (end === '--') this.#state = 'epilogue';
    else if (end === '\r\n') this.#beginPart();
    // RFC 2046 lets blanks follow, and a line that goes on after the boundary still counts as one: parsers
    // differ here, so no such body is taken.
    else throw badMultipart('a line begins with the boundary but goes on after it');
    return offset + 2;
  }

  #beginPart(): void {
    this.#parts += 1;
    if (this.#parts > this.#limits.maxParts) throw badMultipart('it has too many parts');
    this.#state = 'head';
  }

  #readHead(data: Buffer, offset: number): number | null {
    const end = data.indexOf(END_OF_HEAD, offset);
    if ((end === -1 ? data.length : end) - offset > this.#limits.maxPartHeadBytes) {
      throw badMultipart('the headers of a part are too long');
    }
    if (end === -1) return null;
    const head = parsePartHead(data.subarray(offset, end));
    const begin = end + END_OF_HEAD.length;
    this.#openPart(head, this.#consumed + begin);
    return begin;
  }

  #openPart(head: PartHead, contentOffset: number): void {
    if (Buffer.byteLength(head.name) > this.#limits.maxFieldNameBytes) {
      throw badMultipart('the name of a field is too long');
    }
    if (head.filename === null) {
      this.#fields += 1;
      if (this.#fields > this.#limits.maxFields) throw badMultipart('it has too many fields');
      this.#field = { name: head.name, chunks: [], bytes: 0 };
      this.#state = 'field';
    } else if (head.filename === '') {
      this.#state = 'empty-file';
    } else {
      this.#state = 'file';
      this.#handler.onFile({ ...head, filename: head.filename }, contentOffset);
    }
  }

  #readContent(data: Buffer, offset: number): number | null {
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

  #closePart(): boolean {
    const closed = this.#state;
    this.#state = 'after-delimiter';
    if (closed === 'file') return this.#handler.onFileEnd();
    const field = this.#field;
    this.#field = null;
    if (field !== null) this.#handler.onField(field.name, Buffer.concat(field.chunks), false);
    return true;
  }

  /** Where a delimiter may begin at the end of `data`, of which the rest has not come yet. */
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
        throw appError('BAD_FILENAME');
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
    this.#field = null; // the rest of it is passed over
    this.#handler.onField(field.name, Buffer.concat(field.chunks), true);
  }

  #assertOverhead(): void {
    const limit = this.#limits.maxOverheadBytes;
    if (this.#consumed - this.#fileBytes > limit) {
      throw appError('BODY_TOO_LARGE', { params: { limit }, details: { limit } });
    }
  }
}
