import { encodingOf } from '../text-scanner.ts';
import { differs, type Matcher } from './matcher.ts';
import { judgeTextHead } from './text.ts';

/**
 * vCard: RFC 6350 section 3.3 and 6.1.1, RFC 2426 (3.0), and 2.1: a text whose first line is
 * `BEGIN:VCARD` in any case, after a byte order mark at most.
 */
export const vcard: Matcher = {
  judgeHead(head, complete) {
    return FIRST_LINE.test(firstLine(head)) ? judgeTextHead(head, complete) : differs();
  },
  contradictedBy: null,
};

const FIRST_LINE = /^BEGIN:VCARD[ \t]*(?:\r|\n|$)/i;

function firstLine(head: Buffer): string {
  const start = Buffer.from(head.subarray(0, 64)); // copied, because swap16 works in place
  if (encodingOf(start) === 'utf16be') start.subarray(0, start.length - (start.length % 2)).swap16();
  const decoded = start.toString(encodingOf(start) === 'bytes' ? 'utf8' : 'utf16le');
  return decoded.startsWith('\ufeff') ? decoded.slice(1) : decoded;
}
