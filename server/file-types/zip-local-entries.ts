import { inflateRawSync } from 'node:zlib';
import { toPartName, type ZipEntry } from './zip-directory.ts';

/** One local file header (APPNOTE.TXT 6.3.10, section 4.3.7) as far as a head shows it. */
export interface ZipLocalEntry {
  readonly name: string;
  /** The entry's whole content, when it lies in the head and is small; else null. */
  content(): Buffer | null;
}

const LOCAL = 0x04034b50;
const LOCAL_BYTES = 30;
const STORED = 0;
const DEFLATED = 8;
const MAX_CONTENT_BYTES = 256 * 1024;

export function isZipLocalHeader(head: Buffer): boolean {
  return head.length >= LOCAL_BYTES && head.readUInt32LE(0) === LOCAL;
}

/** The entries that begin in the head, up to one whose size is told only after its data (flag bit 3). */
export function readLocalEntries(head: Buffer): ZipLocalEntry[] {
  const entries: ZipLocalEntry[] = [];
  let at = 0;
  while (at + LOCAL_BYTES <= head.length && head.readUInt32LE(at) === LOCAL) {
    const flags = head.readUInt16LE(at + 6);
    const method = head.readUInt16LE(at + 8);
    const sizeBytes = head.readUInt32LE(at + 18);
    const nameEnd = at + LOCAL_BYTES + head.readUInt16LE(at + 26);
    const start = nameEnd + head.readUInt16LE(at + 28);
    if (nameEnd > head.length) break;
    const hasSize = (flags & 0x08) === 0 || sizeBytes > 0;
    const data = head.subarray(start, hasSize ? start + sizeBytes : head.length);
    const isWhole = hasSize && start + sizeBytes <= head.length;
    entries.push({
      name: toPartName(head.toString('utf8', at + LOCAL_BYTES, nameEnd)),
      content: () => unpack(data, method, isWhole),
    });
    if (!isWhole || (flags & 0x08) !== 0) break;
    at = start + sizeBytes;
  }
  return entries;
}

/** A package of 10,000 parts has a list of content types of about this size. */
const MAX_LIST_BYTES = 2 * 1024 * 1024;

/**
 * The content of an entry as its directory describes it.
 *
 * @param bytes From the entry's local header on.
 * @returns null when it is encrypted, packed in another way, broken, too large, or not all there.
 */
export function readZipContent(
  bytes: Buffer,
  { method, packedBytes }: Pick<ZipEntry, 'method' | 'packedBytes'>,
): Buffer | null {
  const isEncrypted = isZipLocalHeader(bytes) && (bytes.readUInt16LE(6) & 0x01) !== 0;
  if (!isZipLocalHeader(bytes) || isEncrypted || bytes.readUInt16LE(8) !== method) return null;
  const start = LOCAL_BYTES + bytes.readUInt16LE(26) + bytes.readUInt16LE(28);
  const end = start + packedBytes;
  return end > bytes.length ? null : unpack(bytes.subarray(start, end), method, true, MAX_LIST_BYTES);
}

function unpack(
  data: Buffer,
  method: number,
  isWhole: boolean,
  maxOutputLength = MAX_CONTENT_BYTES,
): Buffer | null {
  if (method === STORED) return isWhole ? data : null;
  if (method !== DEFLATED) return null;
  try {
    return inflateRawSync(data, { maxOutputLength }); // ends by itself where the size is unknown
  } catch {
    return null;
  }
}
