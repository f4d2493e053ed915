import { defineFileType, mismatch } from '../file-type.ts';
import { checkText, firstCharacters } from '../formats/text.ts';

const FIRST_LINE = /^BEGIN:VCARD[ \t]*(?:\r|\n|$)/i;

/**
 * vCard: RFC 6350 section 3.3 and 6.1.1, RFC 2426 (3.0), and 2.1: a text whose first line is
 * `BEGIN:VCARD` in any case, after a byte order mark at most.
 */
export const vcf = defineFileType({
  name: 'vcf',
  extensions: ['vcf', 'vcard'],
  mimeTypes: ['text/vcard', 'text/x-vcard', 'text/directory', 'application/vcard', 'application/x-vcard'],
  family: 'contact',
  isDefault: false,
  matcher: {
    match: (bytes, isWhole) =>
      FIRST_LINE.test(firstCharacters(bytes)) ? checkText(bytes, isWhole) : mismatch(),
    contradictedBy: null,
  },
  label: { en: 'a contact card (VCF)', es: 'una tarjeta de contacto (VCF)' },
});
