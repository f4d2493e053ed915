import { createHash } from 'node:crypto';
import type { StoredFile } from './file-store.ts';
import type { PartHead } from './part-headers.ts';
import type { RecordedFile } from './records.ts';

/** A file as it arrives: counted, hashed and, if wanted, kept. */
export interface IncomingFile {
  record: RecordedFile;
  add(piece: Buffer): void;
  /** Writes the hash of what came into the record. */
  end(complete: boolean): StoredFile;
}

/** Begins to take in one file. */
export function createIncomingFile(head: PartHead, keep: boolean): IncomingFile {
  const sha256 = createHash('sha256');
  const md5 = createHash('md5');
  const contents: Buffer[] = [];
  const record: RecordedFile = {
    field: head.name,
    name: head.filename ?? '',
    contentType: head.contentType,
    size: 0,
    sha256: '',
    complete: false,
  };
  return {
    record,
    add(piece) {
      record.size += piece.length;
      sha256.update(piece);
      if (!keep) return;
      md5.update(piece);
      contents.push(piece);
    },
    end(complete) {
      record.sha256 = sha256.digest('hex');
      record.complete = complete;
      return {
        contentType: head.contentType,
        size: record.size,
        md5: md5.digest('base64'),
        contents: keep ? contents : null,
      };
    },
  };
}
