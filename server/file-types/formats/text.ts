import { isUtf8 } from 'node:buffer';
import { type LeadingBytesMatch, MATCH, mismatch } from '../file-type.ts';

/**
 * The C0 controls without tab, line feed, form feed and carriage return: the "binary data bytes" of the WHATWG
 * MIME Sniffing Standard, section 3, and escape, which is harmless to browsers but not to terminals.
 */
const IS_BINARY_BYTE = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte < 0x20 && ![0x09, 0x0a, 0x0c, 0x0d].includes(byte) ? 1 : 0,
);

function isBinaryByte(byte: number): boolean {
  return IS_BINARY_BYTE[byte] === 1;
}

/**
 * Four bytes at a time: a word without a byte below 0x20 passes with one test, and only the others, mostly those
 * with a line's end, are looked up byte by byte. About 1.3 GB/s, three times as quick as a look-up per byte.
 */
export function hasBinaryByte(bytes: Buffer): boolean {
  if (bytes.length < 8) return hasAmong(bytes, 0, bytes.length);
  const start = (4 - (bytes.byteOffset % 4)) % 4; // words lie at multiples of four in memory
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset + start, (bytes.length - start) >> 2);
  const end = start + 4 * words.length;
  if (hasAmong(bytes, 0, start) || hasAmong(bytes, end, bytes.length)) return true;
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] as number;
    const hasByteBelow20 = ((word - 0x20202020) & ~word & 0x80808080) !== 0;
    if (hasByteBelow20 && hasAmong(bytes, start + 4 * index, start + 4 * index + 4)) return true;
  }
  return false;
}

function hasAmong(bytes: Buffer, from: number, to: number): boolean {
  for (let at = from; at < to; at += 1) {
    if (IS_BINARY_BYTE[bytes[at] as number] === 1) return true;
  }
  return false;
}

type Encoding = 'utf16le' | 'utf16be' | 'bytes';

/** What DOS programs put at the end of a text. */
const END_MARK = 0x1a;

/**
 * Decides over any number of chunks whether they are text: UTF-16 after a byte order mark, else bytes of UTF-8 or of
 * any code page, in all of which 0x80 to 0xFF may be letters; never with binary data bytes but one end mark.
 */
class TextScanner {
  #encoding: Encoding | null = null;
  /** What can't be judged without the next chunk: a first byte, or half a unit. */
  #carry: Buffer = Buffer.alloc(0);
  #isClean = true;
  #isAfterEndMark = false;
  #isAfterHighSurrogate = false;

  /** False as soon as the bytes so far can't be the beginning of a text. */
  get isText(): boolean {
    return this.#isClean;
  }

  update(chunk: Buffer): void {
    if (!this.#isClean || chunk.length === 0) return;
    if (this.#encoding === null) {
      if (this.#carry.length + chunk.length < 2) {
        this.#carry = Buffer.from(chunk);
        return;
      }
      chunk = this.#takeCarry(chunk);
      this.#encoding = encodingOf(chunk);
    }
    if (this.#encoding === 'bytes') this.#scanBytes(chunk);
    else this.#scanUnits(this.#takeCarry(chunk), this.#encoding === 'utf16be');
  }

  /** Whether all of it was text; in UTF-16, a unit or pair cut by the end is not. */
  finish(): boolean {
    if (this.#encoding === null) this.#scanBytes(this.#takeCarry(Buffer.alloc(0)));
    else if (this.#carry.length > 0 || this.#isAfterHighSurrogate) this.#isClean = false;
    return this.#isClean;
  }

  #takeCarry(chunk: Buffer): Buffer {
    const joined = this.#carry.length === 0 ? chunk : Buffer.concat([this.#carry, chunk]);
    this.#carry = Buffer.alloc(0);
    return joined;
  }

  #scanBytes(chunk: Buffer): void {
    if (this.#isAfterEndMark && chunk.length > 0) this.#isClean = false;
    this.#isAfterEndMark = chunk.at(-1) === END_MARK;
    if (hasBinaryByte(this.#isAfterEndMark ? chunk.subarray(0, -1) : chunk)) this.#isClean = false;
  }

  #scanUnits(bytes: Buffer, isBigEndian: boolean): void {
    const high = isBigEndian ? 0 : 1;
    const end = bytes.length - (bytes.length % 2);
    let isAfterHigh = this.#isAfterHighSurrogate;
    for (let at = 0; at < end; at += 2) {
      const upper = bytes[at + high] as number;
      const isLow = (upper & 0xfc) === 0xdc;
      const isBinary = upper === 0 && isBinaryByte(bytes[at + 1 - high] as number);
      if (isBinary || isLow !== isAfterHigh) {
        this.#isClean = false;
        return;
      }
      isAfterHigh = (upper & 0xfc) === 0xd8;
    }
    this.#isAfterHighSurrogate = isAfterHigh;
    this.#carry = Buffer.from(bytes.subarray(end));
  }
}

/** Whether these bytes may be the beginning of a text. */
export function beginsWithText(bytes: Buffer): boolean {
  const scanner = new TextScanner();
  scanner.update(bytes);
  return scanner.isText;
}

export function encodingOf(bytes: Buffer): Encoding {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf16le';
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf16be';
  return 'bytes';
}

/** Whether these bytes may be the beginning of a text in UTF-8 or UTF-16. */
function isUnicode(bytes: Buffer): boolean {
  return encodingOf(bytes) !== 'bytes' || isUtf8(bytes.subarray(0, bytes.length - cutSequenceLength(bytes)));
}

/** How many bytes at the end begin a UTF-8 sequence (RFC 3629 section 3) without ending it: 0 to 3. */
function cutSequenceLength(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] as number;
    if ((byte & 0xc0) === 0x80) continue;
    const needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return needed > back ? back : 0;
  }
  return 0;
}

/** Whether the bytes are text, in any encoding; the rest of the file is read for that too. */
export function checkText(bytes: Buffer, isWhole: boolean): LeadingBytesMatch {
  const scanner = new TextScanner();
  scanner.update(bytes);
  const isText = isWhole ? scanner.finish() : scanner.isText;
  if (!isText) return mismatch();
  if (isWhole) return MATCH;
  const rest = new TextScanner();
  const structure = {
    update: (chunk: Buffer) => rest.update(chunk),
    finish: () => (rest.finish() ? MATCH : mismatch()),
  };
  return { matches: true, structure };
}

/** The first bytes of formats that are text in themselves, whose files are nevertheless not plain text. */
const DOCUMENT_BEGINNINGS = /^(?:%!PS|\{\\rtf|!<arch>\n|#!AMR)/;

/**
 * Most of what file-type calls binary in a valid text are letters that happen to be there (`BM`, `MZ`,
 * a G at 0 and 188, "The free …" with its `free` at 4), so text wins over it. Not over a format that is text itself,
 * and not in a code page, where any byte passes, over a signature that begins with no letter.
 */
export function looksLikeOtherFormat(bytes: Buffer): boolean {
  const start = bytes.toString(
    'latin1',
    bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0,
    16,
  );
  if (DOCUMENT_BEGINNINGS.test(start)) return true;
  const hasHighByte = bytes.subarray(0, 4).some((byte) => byte >= 0x80);
  return hasHighByte && !/^[a-z\d]/i.test(start) && !isUnicode(bytes) && !beginsWithYa(bytes);
}

/** The Cyrillic letter я is FF in windows-1251, and with the next one looks like the sync word of MPEG audio. */
function beginsWithYa(bytes: Buffer): boolean {
  const [first = 0, second = 0, third = 0, fourth = 0] = bytes;
  return first === 0xff && second >= 0xe0 && third >= 0xa0 && fourth >= 0xa0;
}

/** The first characters of a text, behind its byte order mark. */
export function firstCharacters(bytes: Buffer): string {
  const start = Buffer.from(bytes.subarray(0, 64)); // copied, because swap16 works in place
  if (encodingOf(start) === 'utf16be') start.subarray(0, start.length - (start.length % 2)).swap16();
  const decoded = start.toString(encodingOf(start) === 'bytes' ? 'utf8' : 'utf16le');
  return decoded.startsWith('\ufeff') ? decoded.slice(1) : decoded;
}
