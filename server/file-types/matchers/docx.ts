import { TailWindow } from '../tail-window.ts';
import { findZipDirectory, readZipNames } from '../zip-directory.ts';
import { isZipLocalHeader, readLocalEntries } from '../zip-local-entries.ts';
import { differs, FITS, type Finding, type Matcher, type StructureInspector } from './matcher.ts';

/**
 * DOCX: ECMA-376 part 2 (a package is a ZIP with `[Content_Types].xml`) and part 1, section 11.3.10 (the main
 * document part). Parts are judged by their names in the central directory, which the tail shows; content types
 * are read only where the head shows them.
 */
export const docx: Matcher = {
  judgeHead(head) {
    if (!isZipLocalHeader(head)) return differs();
    const other = otherKindByHead(head);
    return other ? differs(other) : { fits: true, inspector: createDocxInspector() };
  },
  contradictedBy: null, // file-type calls a DOCX with single-quoted XML a ZIP; names and parts decide
};

/** A package of 10,000 parts has a directory of about this size. */
const DIRECTORY_BYTES = 1024 * 1024;

const ZIP = 'application/zip';
const OPENXML = 'application/vnd.openxmlformats-officedocument';
const DOCM = 'application/vnd.ms-word.document.macroEnabled.12';

/** Word's own name, and those with a number that its web versions give. */
const MAIN_PART = /^word\/document\d*\.xml$/;

/** Parts that only another kind has, and that kind. */
const OTHER_PARTS: readonly (readonly [RegExp, string])[] = [
  [/(^|\/)vbaproject\.bin$/, DOCM],
  [/^xl\/(workbook\d*|worksheets\/)/, `${OPENXML}.spreadsheetml.sheet`],
  [/^ppt\/(presentation\d*\.|slides\/)/, `${OPENXML}.presentationml.presentation`],
  [/^meta-inf\/manifest\.mf$/, 'application/java-archive'],
  [/^(visio\/document\.xml|fixeddocseq\.fdseq)$/, ZIP],
];

/** Content types of a main part that is none of a DOCX; an embedded workbook has others. */
const OTHER_MAIN_TYPES: readonly (readonly [RegExp, string])[] = [
  [/application\/vnd\.ms-word\.(document|template)\.macroEnabled[\w.]*\+xml/i, DOCM],
  [/wordprocessingml\.template\.main\+xml/i, `${OPENXML}.wordprocessingml.template`],
  [/spreadsheetml\.sheet\.main\+xml/i, `${OPENXML}.spreadsheetml.sheet`],
  [/presentationml\.presentation\.main\+xml/i, `${OPENXML}.presentationml.presentation`],
];

function kindOfPart(name: string): string | null {
  return OTHER_PARTS.find(([pattern]) => pattern.test(name))?.[1] ?? null;
}

/** Inflating is dear, and a package has one list of content types; a second one is a bomb or a trick. */
function otherKindByHead(head: Buffer): string | null {
  let hasContentTypes = false;
  for (const entry of readLocalEntries(head)) {
    // OpenDocument and EPUB begin with their MIME type in clear.
    if (entry.name === 'mimetype') return mimeIn(entry.content()) ?? ZIP;
    const isContentTypes = entry.name === '[content_types].xml';
    if (isContentTypes && hasContentTypes) return ZIP;
    hasContentTypes ||= isContentTypes;
    const kind = isContentTypes ? kindByContentTypes(entry.content()) : kindOfPart(entry.name);
    if (kind) return kind;
  }
  return null;
}

function mimeIn(content: Buffer | null): string | null {
  return content?.toString('latin1', 0, 100).match(/^[\w.+-]+\/[\w.+-]+/)?.[0] ?? null;
}

function kindByContentTypes(xml: Buffer | null): string | null {
  const text = xml?.toString('utf8') ?? '';
  return OTHER_MAIN_TYPES.find(([pattern]) => pattern.test(text))?.[1] ?? null;
}

function createDocxInspector(): StructureInspector {
  const tail = new TailWindow(DIRECTORY_BYTES);
  return {
    update: (chunk) => tail.update(chunk),
    finish: () => judgePackage(tail.bytes(), tail.totalBytes),
  };
}

function judgePackage(tail: Buffer, totalBytes: number): Finding {
  const directory = findZipDirectory(tail, totalBytes);
  if (!directory) return differs();
  const names = readZipNames(directory, tail, totalBytes);
  if (!names) return differs(ZIP);
  let hasMainPart = false;
  for (const name of names) {
    const other = kindOfPart(name);
    if (other) return differs(other);
    hasMainPart ||= MAIN_PART.test(name);
  }
  return hasMainPart && names.has('[content_types].xml') ? FITS : differs(ZIP);
}
