import { MATCH, type Match, type Matcher, mismatch, type StructureCheck } from '../file-type.ts';
import { TailWindow } from './tail-window.ts';
import { encodingOf } from './text.ts';
import {
  endsSplitArchive,
  findZipDirectory,
  readZipEntries,
  SPLIT_ZIP,
  type ZipEntry,
} from './zip-directory.ts';
import { isZipLocalHeader, readLocalEntries, readZipContent, ZipEntryCatcher } from './zip-entries.ts';

const OPENXML = 'application/vnd.openxmlformats-officedocument';
export const DOCX = `${OPENXML}.wordprocessingml.document`;
export const XLSX = `${OPENXML}.spreadsheetml.sheet`;
export const PPTX = `${OPENXML}.presentationml.presentation`;
const DOCM = 'application/vnd.ms-word.document.macroEnabled.12';
const XLSM = 'application/vnd.ms-excel.sheet.macroEnabled.12';
const XLSB = 'application/vnd.ms-excel.sheet.binary.macroEnabled.12';
const PPTM = 'application/vnd.ms-powerpoint.presentation.macroEnabled.12';
const JAR = 'application/java-archive';
const ZIP = 'application/zip';

interface Package {
  /** The name of the main part: the program's own, and those with a number that its web version gives. */
  readonly mainPart: RegExp;
  /** Parts that no other kind has. */
  readonly ownParts: RegExp;
  /** What is in the list of its content types and in no other kind's. */
  readonly mainType: RegExp;
  /** The kind that it is with macros. */
  readonly withMacros: string;
}

const PACKAGES: ReadonlyMap<string, Package> = new Map([
  [
    DOCX,
    {
      mainPart: /^word\/document\d*\.xml$/,
      ownParts: /^word\/document\d*\./,
      mainType: /wordprocessingml\.document\.main\+xml/i,
      withMacros: DOCM,
    },
  ],
  [
    XLSX,
    {
      mainPart: /^xl\/workbook\d*\.xml$/,
      ownParts: /^xl\/(workbook\d*|worksheets\/)/,
      mainType: /spreadsheetml\.sheet\.main\+xml/i,
      withMacros: XLSM,
    },
  ],
  [
    PPTX,
    {
      mainPart: /^ppt\/presentation\d*\.xml$/,
      ownParts: /^ppt\/(presentation\d*\.|slides\/)/,
      mainType: /presentationml\.presentation\.main\+xml/i,
      withMacros: PPTM,
    },
  ],
]);

/** Main parts of kinds that may not be sent as a DOCX, XLSX or PPTX. Embedded documents have types without `.main`. */
const OTHER_TYPES: readonly (readonly [RegExp, string])[] = [
  [/application\/vnd\.ms-word\.(document|template)\.macroEnabled[\w.]*\+xml/i, DOCM],
  [/application\/vnd\.ms-excel\.(sheet|template|addin)\.macroEnabled\.main\+xml/i, XLSM],
  [/application\/vnd\.ms-powerpoint\.\w+\.macroEnabled\.main\+xml/i, PPTM],
  [/wordprocessingml\.template\.main\+xml/i, `${OPENXML}.wordprocessingml.template`],
  [/spreadsheetml\.template\.main\+xml/i, `${OPENXML}.spreadsheetml.template`],
  [/presentationml\.template\.main\+xml/i, `${OPENXML}.presentationml.template`],
  [/presentationml\.slideshow\.main\+xml/i, `${OPENXML}.presentationml.slideshow`],
];

/** Macros, whatever their part is called. */
const MACRO_TYPES = /application\/vnd\.ms-(office\.vbaProject|word\.vbaData)/i;
const MACRO_PART = /(^|\/)vbaproject\.bin$/;

/** Parts of kinds that are not in the table above. */
const FOREIGN_PARTS: readonly (readonly [RegExp, string])[] = [
  [/^meta-inf\/manifest\.mf$/, JAR],
  [/^xl\/workbook\d*\.bin$/, XLSB], // SheetJS lists its content type in every XLSX too
  [/^(visio\/document\.xml|fixeddocseq\.fdseq)$/, ZIP],
];

const CONTENT_TYPES = '[Content_Types].xml';
/** A package of 10,000 parts has a directory of about this size. */
const DIRECTORY_BYTES = 1024 * 1024;

/**
 * A document of Office Open XML: ECMA-376 part 2 (a package is a ZIP with `[Content_Types].xml`) and part 1, sections
 * 11.3.10, 12.3.23 and 13.3.6 (main parts). Parts are checked by their names in the central directory, which the tail shows,
 * and by the list of their content types, wherever in the file it lies: a part of macros may have any name.
 *
 * @param own `DOCX`, `XLSX` or `PPTX`.
 */
export function openXmlMatcher(own: string): Matcher {
  const kind = PACKAGES.get(own);
  if (kind === undefined) throw new TypeError(`no package of type ${own}`);
  return {
    match(bytes) {
      if (!isZipLocalHeader(bytes)) return mismatch();
      const other = otherKindByBeginning(bytes, own, kind);
      return other ? mismatch(other) : { matches: true, structure: createPackageCheck(own, kind) };
    },
    contradictedBy: null, // file-type calls a DOCX with single-quoted XML a ZIP; names and parts decide
  };
}

/** The kind of a part that a package of type `own` can't have. */
export function otherKindOfPart(name: string, own: string): string | null {
  if (MACRO_PART.test(name)) return PACKAGES.get(own)?.withMacros ?? ZIP;
  const foreign = FOREIGN_PARTS.find(([pattern]) => pattern.test(name));
  if (foreign) return foreign[1];
  for (const [type, { ownParts }] of PACKAGES) if (type !== own && ownParts.test(name)) return type;
  return null;
}

/** Inflating is expensive, and a package has one list of content types; a second one is a bomb or a trick. */
function otherKindByBeginning(bytes: Buffer, own: string, kind: Package): string | null {
  let hasContentTypes = false;
  for (const entry of readLocalEntries(bytes)) {
    // OpenDocument and EPUB begin with their MIME type in clear.
    if (entry.name === 'mimetype') return mimeIn(entry.content()) ?? ZIP;
    const isContentTypes = isContentTypesName(entry.name);
    if (isContentTypes && hasContentTypes) return ZIP;
    hasContentTypes ||= isContentTypes;
    const other = isContentTypes
      ? otherKindByContentTypes(decodeXml(entry.content() ?? Buffer.alloc(0)), own, kind)
      : otherKindOfPart(entry.name, own);
    if (other) return other;
  }
  return null;
}

function mimeIn(content: Buffer | null): string | null {
  return content?.toString('latin1', 0, 100).match(/^[\w.+-]+\/[\w.+-]+/)?.[0] ?? null;
}

function isContentTypesName(name: string): boolean {
  return name === CONTENT_TYPES.toLowerCase();
}

function createPackageCheck(own: string, kind: Package): StructureCheck {
  const tail = new TailWindow(DIRECTORY_BYTES);
  const catcher = new ZipEntryCatcher(CONTENT_TYPES);
  return {
    update(chunk) {
      tail.update(chunk);
      catcher.update(chunk);
    },
    finish: () => checkPackage(tail.bytes(), tail.totalBytes, catcher, own, kind),
  };
}

function checkPackage(
  tail: Buffer,
  totalBytes: number,
  catcher: ZipEntryCatcher,
  own: string,
  kind: Package,
): Match {
  const directory = findZipDirectory(tail, totalBytes);
  if (!directory) return mismatch(endsSplitArchive(tail) ? SPLIT_ZIP : null);
  const entries = readZipEntries(directory, tail, totalBytes);
  if (!entries) return mismatch(ZIP);
  for (const { name } of entries) {
    const other = otherKindOfPart(name, own);
    if (other) return mismatch(other);
  }
  if (!entries.some(({ name }) => kind.mainPart.test(name))) return mismatch(ZIP);
  const [list, ...others] = entries.filter(({ name }) => isContentTypesName(name));
  // Of two lists, one is for the check and the other for Office.
  if (list === undefined || others.length > 0) return mismatch(ZIP);
  const at = list.offset - (totalBytes - tail.length);
  return checkContentTypes(list, at >= 0 ? tail.subarray(at) : catcher.takeAt(list.offset), own, kind);
}

/**
 * A list with a DTD, which the standard forbids (ECMA-376 part 2, section 8.2), can hide its types in entities, and
 * lists nothing for sure.
 */
function checkContentTypes(list: ZipEntry, bytes: Buffer | null, own: string, kind: Package): Match {
  const content = bytes && readZipContent(bytes, list);
  if (!content) return mismatch(ZIP);
  const xml = decodeXml(content);
  const other = otherKindByContentTypes(xml, own, kind);
  if (other) return mismatch(other);
  return kind.mainType.test(xml) && !xml.includes('<!DOCTYPE') ? MATCH : mismatch(ZIP);
}

/** The kind, other than its own, that a `[Content_Types].xml` or its beginning shows. */
function otherKindByContentTypes(xml: string, own: string, kind: Package): string | null {
  const other = OTHER_TYPES.find(([pattern]) => pattern.test(xml));
  if (other) return other[1];
  if (MACRO_TYPES.test(xml)) return kind.withMacros;
  for (const [type, { mainType }] of PACKAGES) if (type !== own && mainType.test(xml)) return type;
  return null;
}

/** As text, in UTF-8 or UTF-16, with characters for their numbers: `&#80;` is a P to programs that read the list. */
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
