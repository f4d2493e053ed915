import { defineFileType, MATCH, type Match, mismatch, type StructureCheck } from '../file-type.ts';
import { otherKindOfPart } from '../formats/open-xml.ts';
import { TailWindow } from '../formats/tail-window.ts';
import { endsSplitArchive, findZipDirectory, readZipEntries, SPLIT_ZIP } from '../formats/zip-directory.ts';
import { readLocalEntries } from '../formats/zip-entries.ts';
import { ZIP_MIME_TYPES } from './zip.ts';

const ODT = 'application/vnd.oasis.opendocument.text';
const ZIP = 'application/zip';
const PARTS = ['mimetype', 'content.xml', 'meta-inf/manifest.xml'];
const DIRECTORY_BYTES = 1024 * 1024;

/**
 * ODT: OpenDocument 1.3 part 2, section 3.3. A ZIP that begins with its MIME type, stored as it is, and has a manifest and a
 * content. Templates and spreadsheets have another MIME type.
 */
export const odt = defineFileType({
  name: 'odt',
  extensions: ['odt'],
  mimeTypes: [ODT, 'application/x-vnd.oasis.opendocument.text', ...ZIP_MIME_TYPES],
  family: 'office',
  isDefault: false,
  matcher: {
    match(bytes) {
      const [first] = readLocalEntries(bytes);
      if (first?.name !== 'mimetype') return mismatch();
      const type = first.content()?.toString('latin1').trimEnd() ?? ZIP;
      return type === ODT ? { matches: true, structure: createOdtCheck() } : mismatch(type.slice(0, 100));
    },
    contradictedBy: null,
  },
  label: { en: 'an OpenDocument text (ODT)', es: 'un texto de OpenDocument (ODT)' },
  expected: { en: 'an ODT document', es: 'un documento ODT' },
  advice: 'save',
  saveAs: ['pdf', 'docx'],
});

function createOdtCheck(): StructureCheck {
  const tail = new TailWindow(DIRECTORY_BYTES);
  return {
    update: (chunk) => tail.update(chunk),
    finish: () => checkPackage(tail.bytes(), tail.totalBytes),
  };
}

function checkPackage(tail: Buffer, totalBytes: number): Match {
  const directory = findZipDirectory(tail, totalBytes);
  if (!directory) return mismatch(endsSplitArchive(tail) ? SPLIT_ZIP : null);
  const entries = readZipEntries(directory, tail, totalBytes);
  if (!entries) return mismatch(ZIP);
  for (const { name } of entries) {
    const other = otherKindOfPart(name, ODT);
    if (other) return mismatch(other);
  }
  const names = entries.map(({ name }) => name);
  const hasParts = PARTS.every((part) => names.filter((name) => name === part).length === 1);
  return hasParts && entries.find(({ name }) => name === 'mimetype')?.offset === 0 ? MATCH : mismatch(ZIP);
}
