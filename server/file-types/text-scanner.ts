import { isAscii, isUtf8 } from 'node:buffer';
import { hasBinaryByte, isBinaryByte } from './binary-bytes.ts';

/** Bytes that are control characters in windows-1252, which is what the web calls Latin-1. */
const UNDEFINED_IN_1252 = [0x81, 0x8d, 0x8f, 0x90, 0x9d];

type Encoding = 'utf16le' | 'utf16be' | 'bytes';

/**
 * Decides over any number of chunks whether they are text: UTF-16 after a byte order mark, else UTF-8
 * throughout, else windows-1252 throughout; never with binary data bytes.
 */
export class TextScanner {
  #encoding: Encoding | null = null;
  /** What could not be judged without the next chunk: a first byte, half a unit, a cut UTF-8 sequence. */
  #carry: Buffer = Buffer.alloc(0);
  #isClean = true;
  #isUtf8 = true;
  #hasUndefined = false;
  #isAfterHighSurrogate = false;

  /** False as soon as the bytes so far can't be the beginning of a text. */
  get isText(): boolean {
    return this.#isClean && (this.#isUtf8 || !this.#hasUndefined);
  }

  get isUnicode(): boolean {
    return this.#encoding !== 'bytes' || this.#isUtf8;
  }

  update(chunk: Buffer): void {
    if (!this.isText || chunk.length === 0) return;
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

  /** Whether all of it was text; a sequence cut by the end is none. */
  finish(): boolean {
    if (this.#encoding === null) {
      this.#encoding = 'bytes';
      this.#scanBytes(this.#takeCarry(Buffer.alloc(0)));
    }
    if (this.#encoding === 'bytes') {
      if (this.#carry.length > 0) this.#isUtf8 = false;
    } else if (this.#carry.length > 0 || this.#isAfterHighSurrogate) {
      this.#isClean = false;
    }
    return this.isText;
  }

  #takeCarry(chunk: Buffer): Buffer {
    const joined = this.#carry.length === 0 ? chunk : Buffer.concat([this.#carry, chunk]);
    this.#carry = Buffer.alloc(0);
    return joined;
  }

  #scanBytes(chunk: Buffer): void {
    if (hasBinaryByte(chunk)) {
      this.#isClean = false;
      return;
    }
    if (this.#carry.length === 0 && isAscii(chunk)) return;
    if (!this.#hasUndefined) this.#hasUndefined = UNDEFINED_IN_1252.some((byte) => chunk.includes(byte));
    if (!this.#isUtf8) return;
    const joined = this.#takeCarry(chunk);
    const end = joined.length - cutSequenceLength(joined);
    this.#isUtf8 = isUtf8(joined.subarray(0, end));
    if (this.#isUtf8) this.#carry = Buffer.from(joined.subarray(end));
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
