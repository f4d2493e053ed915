import { type PartHead, parsePartHead } from './part-headers.ts';

/** What the parser tells, in order: part, its data in pieces, its end. */
export interface MultipartEvents {
  part(head: PartHead): void;
  data(piece: Buffer): void;
  partEnd(): void;
}

/** A parser to be fed with the body, in pieces of any size. */
export interface MultipartParser {
  write(chunk: Buffer): void;
  /** Whether the closing boundary has been seen. */
  readonly closed: boolean;
}

/** The body is not the form that its Content-Type promises. */
export class MultipartError extends Error {}

const MAX_HEAD_BYTES = 16 * 1024;
const MAX_PARTS = 1_000;
const MAX_PADDING_BYTES = 256;
const CRLF = Buffer.from('\r\n');
const BLANK_LINE = Buffer.from('\r\n\r\n');
const [TAB, LF, CR, SPACE, DASH] = [0x09, 0x0a, 0x0d, 0x20, 0x2d];

/** The boundary of a multipart/form-data Content-Type, or null. */
export function boundaryOf(contentType: string | undefined): string | null {
  if (!/^multipart\/form-data\s*(;|$)/i.test(contentType ?? '')) return null;
  const match = /;\s*boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))/i.exec(contentType ?? '');
  return match?.[1] ?? match?.[2] ?? null;
}

/** Tells what follows a delimiter: the header block, the end, just data that looks alike, or not enough yet. */
function lookPast(buffer: Buffer, start: number): { kind: 'part' | 'end' | 'data' | 'more'; next: number } {
  if (buffer.length < start + 2) return { kind: 'more', next: start };
  if (buffer[start] === DASH && buffer[start + 1] === DASH) return { kind: 'end', next: start + 2 };
  let position = start;
  while (buffer[position] === SPACE || buffer[position] === TAB) position += 1;
  if (position - start > MAX_PADDING_BYTES) return { kind: 'data', next: start };
  if (buffer.length < position + 2) {
    const mayStill = position === buffer.length || buffer[position] === CR;
    return { kind: mayStill ? 'more' : 'data', next: start };
  }
  const isLineEnd = buffer[position] === CR && buffer[position + 1] === LF;
  // The line end stays in the buffer, so that a part without headers still begins with a blank line.
  return isLineEnd ? { kind: 'part', next: position } : { kind: 'data', next: start };
}

/** Makes a streaming parser; it keeps back no more than a possible delimiter or one header block. */
export function createMultipartParser(boundary: string, events: MultipartEvents): MultipartParser {
  const delimiter = Buffer.from(`\r\n--${boundary}`);
  let state: 'preamble' | 'head' | 'data' | 'closed' = 'preamble';
  // The first delimiter may be at the very start of the body, without a line end before it.
  let kept: Buffer = CRLF;
  let parts = 0;

  const pass = (piece: Buffer) => {
    if (state === 'data' && piece.length > 0) events.data(piece);
  };

  // What could be the beginning of a delimiter at the end of the buffer.
  const keepFrom = (buffer: Buffer, from: number): number => {
    let position = buffer.indexOf(CR, Math.max(from, buffer.length - delimiter.length + 1));
    while (position !== -1) {
      if (buffer.subarray(position).equals(delimiter.subarray(0, buffer.length - position))) return position;
      position = buffer.indexOf(CR, position + 1);
    }
    return buffer.length;
  };

  // Each step takes something off the front of the buffer, or returns null for want of more.
  const inContent = (buffer: Buffer): Buffer | null => {
    let from = 0;
    while (true) {
      const found = buffer.indexOf(delimiter, from);
      if (found === -1) {
        const keep = keepFrom(buffer, from);
        pass(buffer.subarray(0, keep));
        kept = buffer.subarray(keep);
        return null;
      }
      const { kind, next } = lookPast(buffer, found + delimiter.length);
      if (kind === 'data') {
        from = found + 1;
        continue;
      }
      pass(buffer.subarray(0, found));
      if (kind === 'more') {
        kept = buffer.subarray(found);
        return null;
      }
      if (state === 'data') events.partEnd();
      state = kind === 'end' ? 'closed' : 'head';
      return buffer.subarray(next);
    }
  };

  const inHead = (buffer: Buffer): Buffer | null => {
    const end = buffer.indexOf(BLANK_LINE);
    if (end > MAX_HEAD_BYTES || (end === -1 && buffer.length > MAX_HEAD_BYTES)) {
      throw new MultipartError('Malformed part header');
    }
    if (end === -1) {
      kept = buffer;
      return null;
    }
    const head = parsePartHead(buffer.subarray(CRLF.length, Math.max(CRLF.length, end)).toString());
    parts += 1;
    if (head === null) throw new MultipartError('Malformed part header');
    if (parts > MAX_PARTS) throw new MultipartError('Too many parts');
    events.part(head);
    state = 'data';
    return buffer.subarray(end + BLANK_LINE.length);
  };

  return {
    get closed() {
      return state === 'closed';
    },
    write(chunk) {
      let buffer: Buffer | null = kept.length === 0 ? chunk : Buffer.concat([kept, chunk]);
      kept = buffer.subarray(0, 0);
      while (buffer !== null && state !== 'closed')
        buffer = state === 'head' ? inHead(buffer) : inContent(buffer);
    },
  };
}
