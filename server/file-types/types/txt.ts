import { defineFileType, type Matcher, mismatch } from '../file-type.ts';
import { sniffMarkup } from '../formats/markup.ts';
import { checkText, looksLikeOtherFormat } from '../formats/text.ts';
import { beginsWithPdf } from './pdf.ts';

/**
 * Plain text in UTF-8, UTF-16 or any code page, by the WHATWG MIME Sniffing Standard's notion of binary bytes
 * (section 3, see the scanner), and neither HTML nor SVG, which a browser would run.
 */
const plainText: Matcher = {
  match(bytes, isWhole) {
    if (beginsWithPdf(bytes)) return mismatch('application/pdf');
    const markup = sniffMarkup(bytes);
    return markup ? mismatch(markup) : checkText(bytes, isWhole);
  },
  contradictedBy: () => true,
  isDoubtful: looksLikeOtherFormat,
};

export const txt = defineFileType({
  name: 'txt',
  extensions: ['txt'],
  // And every other kind of `text/`: see `declared-type.ts`.
  mimeTypes: ['text/plain', 'application/txt'],
  family: 'text',
  isDefault: true,
  matcher: plainText,
  label: { en: 'a text file', es: 'un archivo de texto' },
});
