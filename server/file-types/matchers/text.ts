import { sniffMarkup } from '../markup.ts';
import { isUnicode, TextScanner } from '../text-scanner.ts';
import { differs, FITS, type HeadFinding, type Matcher, type StructureInspector } from './matcher.ts';
import { isPdfHead } from './pdf.ts';

/**
 * Plain text in UTF-8, UTF-16 or any code page, by the WHATWG MIME Sniffing Standard's notion of binary bytes
 * (section 3, see the scanner), and neither HTML nor SVG, which a browser would run.
 */
export const text: Matcher = {
  judgeHead(head, complete) {
    if (isPdfHead(head)) return differs('application/pdf');
    const markup = sniffMarkup(head);
    return markup ? differs(markup) : judgeTextHead(head, complete);
  },
  contradictedBy: () => true,
  isDoubtful: isNoText,
};

/** The first bytes of formats that are text in themselves, whose files are nevertheless no plain text. */
const DOCUMENT_BEGINNINGS = /^(?:%!PS|\{\\rtf|!<arch>\n|#!AMR)/;

export function judgeTextHead(head: Buffer, complete: boolean): HeadFinding {
  const scanner = new TextScanner();
  scanner.update(head);
  const fits = complete ? scanner.finish() : scanner.isText;
  if (!fits) return differs();
  return complete ? FITS : { fits: true, inspector: createTextInspector() };
}

/**
 * Most of what file-type calls binary in a valid text are letters that happen to stand there (`BM`, `MZ`,
 * a G at 0 and 188, "The free …" with its `free` at 4), so text wins over it. Not over a format that is text itself,
 * and not in a code page, where any byte passes, over a signature that begins with no letter.
 */
export function isNoText(head: Buffer): boolean {
  const start = head.toString('latin1', head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf ? 3 : 0, 16);
  if (DOCUMENT_BEGINNINGS.test(start)) return true;
  const hasHighByte = head.subarray(0, 4).some((byte) => byte >= 0x80);
  return hasHighByte && !/^[a-z\d]/i.test(start) && !isUnicode(head) && !beginsWithYa(head);
}

/** The Cyrillic letter я is FF in windows-1251, and with the next one looks like the sync word of MPEG audio. */
function beginsWithYa(head: Buffer): boolean {
  const [first = 0, second = 0, third = 0, fourth = 0] = head;
  return first === 0xff && second >= 0xe0 && third >= 0xa0 && fourth >= 0xa0;
}

function createTextInspector(): StructureInspector {
  const scanner = new TextScanner();
  return {
    update: (chunk) => scanner.update(chunk),
    finish: () => (scanner.finish() ? FITS : differs()),
  };
}
