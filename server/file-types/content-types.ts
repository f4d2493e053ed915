import { encodingOf } from './text-scanner.ts';

const OPENXML = 'application/vnd.openxmlformats-officedocument';
/** The kind of a Word document with macros. */
export const DOCM = 'application/vnd.ms-word.document.macroEnabled.12';

/** What is in the list of a DOCX and of no other kind. */
const WORD_MAIN = /wordprocessingml\.document\.main\+xml/i;

/**
 * Content types that no DOCX lists: macros, whatever their part is called, and the main parts of other kinds. An
 * embedded workbook or presentation has types without `.main`.
 */
const OTHER_TYPES: readonly (readonly [RegExp, string])[] = [
  [/application\/vnd\.ms-word\.(document|template)\.macroEnabled[\w.]*\+xml/i, DOCM],
  [/application\/vnd\.ms-(office\.vbaProject|word\.vbaData)/i, DOCM],
  [/wordprocessingml\.template\.main\+xml/i, `${OPENXML}.wordprocessingml.template`],
  [/spreadsheetml\.sheet\.main\+xml/i, `${OPENXML}.spreadsheetml.sheet`],
  [/presentationml\.presentation\.main\+xml/i, `${OPENXML}.presentationml.presentation`],
];

/** The kind, other than DOCX, that a `[Content_Types].xml` or its beginning tells of; null where it tells of none. */
export function otherKindByContentTypes(xml: Buffer): string | null {
  const text = decodeXml(xml);
  return OTHER_TYPES.find(([pattern]) => pattern.test(text))?.[1] ?? null;
}

/**
 * Whether a whole `[Content_Types].xml` lists the main part of a Word document. A list with a DTD, which the
 * standard forbids (ECMA-376 part 2, section 8.2), can hide its types in entities, and lists nothing for sure.
 */
export function listsWordDocument(xml: Buffer): boolean {
  const text = decodeXml(xml);
  return WORD_MAIN.test(text) && !text.includes('<!DOCTYPE');
}

/** As text, in UTF-8 or UTF-16, with characters for their numbers: `&#80;` is a P to whoever reads the list. */
function decodeXml(xml: Buffer): string {
  const units = Buffer.from(xml.subarray(0, xml.length - (xml.length % 2)));
  const encoding = encodingOf(xml);
  const text =
    encoding === 'bytes'
      ? xml.toString('utf8')
      : (encoding === 'utf16be' ? units.swap16() : units).toString('utf16le');
  return text.replace(/&#(?:x([0-9a-f]{1,6})|(\d{1,7}));/gi, (_all, hex?: string, decimal?: string) => {
    const point = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
    return point <= 0x10ffff ? String.fromCodePoint(point) : '';
  });
}
