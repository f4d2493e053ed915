import { SPLIT_ZIP } from '../recognise.ts';
import { TailWindow } from '../tail-window.ts';
import { endsSplitArchive, findZipDirectory, ZIP_END_BYTES } from '../zip-directory.ts';
import { isZipLocalHeader } from '../zip-local-entries.ts';
import { differs, FITS, type Matcher, type StructureInspector } from './matcher.ts';

/**
 * ZIP: APPNOTE.TXT 6.3.10. A local header at 0, or the end record alone (an archive of nothing); at the
 * end a consistent central directory with nothing but padding behind its comment. What the archive is for (a DOCX, a JAR) is
 * no matter.
 */
export const zip: Matcher = {
  judgeHead(head, complete) {
    if (isZipHead(head)) return { fits: true, inspector: createZipInspector() };
    return differs(complete && endsSplitArchive(head) ? SPLIT_ZIP : null);
  },
  contradictedBy: null, // whatever file-type calls it then is a ZIP with a purpose
};

function isZipHead(head: Buffer): boolean {
  return isZipLocalHeader(head) || head.toString('latin1', 0, 4) === 'PK\x05\x06';
}

function createZipInspector(): StructureInspector {
  const tail = new TailWindow(ZIP_END_BYTES);
  return {
    update: (chunk) => tail.update(chunk),
    finish() {
      const bytes = tail.bytes();
      if (findZipDirectory(bytes, tail.totalBytes)) return FITS;
      return differs(endsSplitArchive(bytes) ? SPLIT_ZIP : null);
    },
  };
}
