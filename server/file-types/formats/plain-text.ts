import { type LeadingBytesMatch, MATCH, mismatch } from '../matcher.ts';
import { encodingOf, isUnicode, TextScanner } from './text-scanner.ts';

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
 * Most of what file-type calls binary in a valid text are letters that happen to stand there (`BM`, `MZ`,
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
