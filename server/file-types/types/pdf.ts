import { anythingBut, defineFileType, MATCH, mismatch } from '../file-type.ts';

const HEADER = Buffer.from('%PDF-', 'latin1');
const SEARCHED_BYTES = 1024;
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);
const WHITE_SPACE: ReadonlySet<number | undefined> = new Set([0x00, 0x09, 0x0a, 0x0c, 0x0d, 0x20]);

/**
 * PDF: ISO 32000-2 section 7.5.2. Viewers search the first 1,024 bytes for the header, which lets almost any file be a
 * PDF; here only a byte order mark and white space (section 7.2.3) may come before it, as some report servers write.
 */
export const pdf = defineFileType({
  name: 'pdf',
  extensions: ['pdf'],
  mimeTypes: ['application/pdf', 'application/x-pdf', 'application/acrobat', 'text/pdf'],
  family: 'office',
  isDefault: true,
  matcher: {
    match: (bytes) => (beginsWithPdf(bytes) ? MATCH : mismatch()),
    contradictedBy: anythingBut('pdf'),
    isDoubtful: (bytes) => bytes[0] !== HEADER[0],
  },
  label: { en: 'a PDF', es: 'un PDF' },
});

export function beginsWithPdf(bytes: Buffer): boolean {
  let at = 0;
  for (;;) {
    if (WHITE_SPACE.has(bytes[at])) at += 1;
    else if (bytes.subarray(at, at + 3).equals(BYTE_ORDER_MARK)) at += 3;
    else break;
  }
  const end = at + HEADER.length;
  return end <= SEARCHED_BYTES && bytes.subarray(at, end).equals(HEADER);
}
