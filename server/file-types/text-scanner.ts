import { isUtf8 } from 'node:buffer';
import { hasBinaryByte, isBinaryByte } from './binary-bytes.ts';

type Encoding = 'utf16le' | 'utf16be' | 'bytes';

/** What DOS programs put at the end of a text. */
const END_MARK = 0x1a;

/**
 * Decides over any number of chunks whether they are text: UTF-16 after a byte order mark, else bytes of UTF-8 or of
 * any code page, in all of which 0x80 to 0xFF may be letters; never with binary data bytes but one end mark.
 */
export class TextScanner {
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

  /** Whether all of it was text; in UTF-16, a unit or pair cut by the end is none. */
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
export function isTextHead(head: Buffer): boolean {
  const scanner = new TextScanner();
  scanner.update(head);
  return scanner.isText;
}

export function encodingOf(bytes: Buffer): Encoding {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf16le';
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf16be';
  return 'bytes';
}

/** Whether these bytes may be the beginning of a text in UTF-8 or UTF-16. */
export function isUnicode(head: Buffer): boolean {
  return encodingOf(head) !== 'bytes' || isUtf8(head.subarray(0, head.length - cutSequenceLength(head)));
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
