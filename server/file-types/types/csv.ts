import { defineFileType, mismatch } from '../file-type.ts';
import { firstCharacters } from '../formats/text.ts';
import { txt } from './txt.ts';

/** Text that says of itself that it is something else. */
const OTHER_TEXT: readonly (readonly [RegExp, string])[] = [
  [/^BEGIN:VCARD\b/i, 'text/vcard'],
  [/^BEGIN:VCALENDAR\b/i, 'text/calendar'],
  [/^<\?xml\b/i, 'application/xml'],
  [/^MIME-Version:/i, 'application/x-mimearchive'],
];

/** CSV (RFC 4180) with any separator: a text like any other, unless it begins as another format of text. */
export const csv = defineFileType({
  name: 'csv',
  extensions: ['csv'],
  mimeTypes: [
    'text/csv',
    'text/plain',
    'application/csv',
    'text/x-csv',
    'application/x-csv',
    'text/comma-separated-values',
    'text/x-comma-separated-values',
    'text/tab-separated-values',
    'application/vnd.ms-excel',
  ],
  family: 'text',
  isDefault: false,
  matcher: {
    ...txt.matcher,
    match(bytes, isWhole) {
      const start = firstCharacters(bytes);
      const other = OTHER_TEXT.find(([pattern]) => pattern.test(start));
      return other ? mismatch(other[1]) : txt.matcher.match(bytes, isWhole);
    },
  },
  label: { en: 'a table (CSV)', es: 'una tabla (CSV)' },
  advice: 'rename',
  saveAs: ['txt'],
});
