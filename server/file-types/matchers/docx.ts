import { DOCM, listsWordDocument, otherKindByContentTypes } from '../content-types.ts';
import { SPLIT_ZIP } from '../recognise.ts';
import { TailWindow } from '../tail-window.ts';
import { endsSplitArchive, findZipDirectory, readZipEntries, type ZipEntry } from '../zip-directory.ts';
import { ZipEntryCatcher } from '../zip-entry-catcher.ts';
import { isZipLocalHeader, readLocalEntries, readZipContent } from '../zip-local-entries.ts';
import { differs, FITS, type Finding, type Matcher, type StructureInspector } from './matcher.ts';

/**
 * DOCX: ECMA-376 part 2 (a package is a ZIP with `[Content_Types].xml`) and part 1, section 11.3.10 (the main
 * document part). Parts are judged by their names in the central directory, which the tail shows, and by the list of
 * their content types, wherever in the file it lies: a part of macros may have any name.
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
const CONTENT_TYPES = '[Content_Types].xml';

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

function kindOfPart(name: string): string | null {
  return OTHER_PARTS.find(([pattern]) => pattern.test(name))?.[1] ?? null;
}

/** Inflating is dear, and a package has one list of content types; a second one is a bomb or a trick. */
function otherKindByHead(head: Buffer): string | null {
  let hasContentTypes = false;
  for (const entry of readLocalEntries(head)) {
    // OpenDocument and EPUB begin with their MIME type in clear.
    if (entry.name === 'mimetype') return mimeIn(entry.content()) ?? ZIP;
    const isContentTypes = isContentTypesName(entry.name);
    if (isContentTypes && hasContentTypes) return ZIP;
    hasContentTypes ||= isContentTypes;
    const kind = isContentTypes
      ? otherKindByContentTypes(entry.content() ?? Buffer.alloc(0))
      : kindOfPart(entry.name);
    if (kind) return kind;
  }
  return null;
}

function mimeIn(content: Buffer | null): string | null {
  return content?.toString('latin1', 0, 100).match(/^[\w.+-]+\/[\w.+-]+/)?.[0] ?? null;
}

function isContentTypesName(name: string): boolean {
  return name === CONTENT_TYPES.toLowerCase();
}

function createDocxInspector(): StructureInspector {
  const tail = new TailWindow(DIRECTORY_BYTES);
  const catcher = new ZipEntryCatcher(CONTENT_TYPES);
  return {
    update(chunk) {
      tail.update(chunk);
      catcher.update(chunk);
    },
    finish: () => judgePackage(tail.bytes(), tail.totalBytes, catcher),
  };
}

function judgePackage(tail: Buffer, totalBytes: number, catcher: ZipEntryCatcher): Finding {
  const directory = findZipDirectory(tail, totalBytes);
  if (!directory) return differs(endsSplitArchive(tail) ? SPLIT_ZIP : null);
  const entries = readZipEntries(directory, tail, totalBytes);
  if (!entries) return differs(ZIP);
  for (const { name } of entries) {
    const other = kindOfPart(name);
    if (other) return differs(other);
  }
  if (!entries.some(({ name }) => MAIN_PART.test(name))) return differs(ZIP);
  const [list, ...others] = entries.filter(({ name }) => isContentTypesName(name));
  // Of two lists, one is for the check and the other for Word.
  if (list === undefined || others.length > 0) return differs(ZIP);
  const at = list.offset - (totalBytes - tail.length);
  return judgeContentTypes(list, at >= 0 ? tail.subarray(at) : catcher.takeAt(list.offset));
}

function judgeContentTypes(list: ZipEntry, bytes: Buffer | null): Finding {
  const xml = bytes && readZipContent(bytes, list);
  if (!xml) return differs(ZIP);
  const other = otherKindByContentTypes(xml);
  if (other) return differs(other);
  return listsWordDocument(xml) ? FITS : differs(ZIP);
}
