import { defineFileType, MATCH, mismatch, type StructureCheck } from '../file-type.ts';
import { TailWindow } from '../formats/tail-window.ts';
import { endsSplitArchive, findZipDirectory, SPLIT_ZIP, ZIP_END_BYTES } from '../formats/zip-directory.ts';
import { isZipLocalHeader } from '../formats/zip-entries.ts';

/** Also declared for documents that are ZIP archives inside, on machines that do not know those. */
export const ZIP_MIME_TYPES = [
  'application/zip',
  'application/x-zip-compressed',
  'application/x-zip',
  'application/zip-compressed',
  'application/x-compressed',
  'application/x-compress',
  'multipart/x-zip',
] as const;

/**
 * ZIP: APPNOTE.TXT 6.3.10. A local header at 0, or the end record alone (an empty archive); at the
 * end a consistent central directory with nothing but padding behind its comment. What the archive is for (a DOCX, a JAR)
 * does not matter.
 */
export const zip = defineFileType({
  name: 'zip',
  extensions: ['zip'],
  mimeTypes: ZIP_MIME_TYPES,
  family: 'archive',
  isDefault: true,
  matcher: {
    match(bytes, isWhole) {
      if (beginsZip(bytes)) return { matches: true, structure: createZipCheck() };
      return mismatch(isWhole && endsSplitArchive(bytes) ? SPLIT_ZIP : null);
    },
    contradictedBy: null, // whatever file-type calls it then is a ZIP with a purpose
  },
  label: { en: 'a ZIP archive', es: 'un archivo ZIP' },
});

function beginsZip(bytes: Buffer): boolean {
  return isZipLocalHeader(bytes) || bytes.toString('latin1', 0, 4) === 'PK\x05\x06';
}

function createZipCheck(): StructureCheck {
  const tail = new TailWindow(ZIP_END_BYTES);
  return {
    update: (chunk) => tail.update(chunk),
    finish() {
      const bytes = tail.bytes();
      if (findZipDirectory(bytes, tail.totalBytes)) return MATCH;
      return mismatch(endsSplitArchive(bytes) ? SPLIT_ZIP : null);
    },
  };
}
