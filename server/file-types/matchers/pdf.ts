import { anythingBut, differs, FITS, type Matcher } from './matcher.ts';

/**
 * PDF: ISO 32000-2 section 7.5.2. Viewers search the first 1,024 bytes for the header, which is what makes a PDF of
 * almost anything; here only a byte order mark and white space (section 7.2.3) may stand before it, as some report
 * servers write them.
 */
export const pdf: Matcher = {
  judgeHead: (head) => (isPdfHead(head) ? FITS : differs()),
  contradictedBy: anythingBut('pdf'),
  isDoubtful: (head) => head[0] !== HEADER[0],
};

const HEADER = Buffer.from('%PDF-', 'latin1');
const SEARCHED_BYTES = 1024;
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);
const WHITE_SPACE: ReadonlySet<number | undefined> = new Set([0x00, 0x09, 0x0a, 0x0c, 0x0d, 0x20]);

export function isPdfHead(head: Buffer): boolean {
  let at = 0;
  for (;;) {
    if (WHITE_SPACE.has(head[at])) at += 1;
    else if (head.subarray(at, at + 3).equals(BYTE_ORDER_MARK)) at += 3;
    else break;
  }
  const end = at + HEADER.length;
  return end <= SEARCHED_BYTES && head.subarray(at, end).equals(HEADER);
}
