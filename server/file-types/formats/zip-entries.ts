import { inflateRawSync } from 'node:zlib';
import { BufferList } from '../../http/buffers.ts';
import { toPartName, type ZipEntry } from './zip-directory.ts';

/** One local file header (APPNOTE.TXT 6.3.10, section 4.3.7) as far as the leading bytes show it. */
export interface ZipLocalEntry {
  readonly name: string;
  /** The entry's whole content, if it is in the leading bytes and is small; else null. */
  content(): Buffer | null;
}

const LOCAL = 0x04034b50;
const LOCAL_BYTES = 30;
const STORED = 0;
const DEFLATED = 8;
const MAX_CONTENT_BYTES = 256 * 1024;

export function isZipLocalHeader(bytes: Buffer): boolean {
  return bytes.length >= LOCAL_BYTES && bytes.readUInt32LE(0) === LOCAL;
}

/** The entries that begin in the leading bytes, up to one whose size only follows its data (flag bit 3). */
export function readLocalEntries(bytes: Buffer): ZipLocalEntry[] {
  const entries: ZipLocalEntry[] = [];
  let at = 0;
  while (at + LOCAL_BYTES <= bytes.length && bytes.readUInt32LE(at) === LOCAL) {
    const flags = bytes.readUInt16LE(at + 6);
    const method = bytes.readUInt16LE(at + 8);
    const sizeBytes = bytes.readUInt32LE(at + 18);
    const nameEnd = at + LOCAL_BYTES + bytes.readUInt16LE(at + 26);
    const start = nameEnd + bytes.readUInt16LE(at + 28);
    if (nameEnd > bytes.length) break;
    const hasSize = (flags & 0x08) === 0 || sizeBytes > 0;
    const data = bytes.subarray(start, hasSize ? start + sizeBytes : bytes.length);
    const isWhole = hasSize && start + sizeBytes <= bytes.length;
    entries.push({
      name: toPartName(bytes.toString('utf8', at + LOCAL_BYTES, nameEnd)),
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

/** Kept of one entry; a list of the content types of 10,000 parts is about half of it when packed. */
const MAX_ENTRY_BYTES = 128 * 1024;
/** An archive in the archive, stored as it is, has entries of the same name. */
const MAX_ENTRIES = 4;

/**
 * Keeps the entries of one name out of a ZIP that streams by: where they count, only the directory at the end
 * tells, and by then they are gone. Found by the bytes of the name, so there may be others among them.
 */
export class ZipEntryCatcher {
  readonly #name: Buffer;
  readonly #caught: { readonly offset: number; readonly kept: BufferList }[] = [];
  /** The bytes before the next chunk, enough for the beginning of an entry and its name but one byte. */
  #carry = Buffer.alloc(0);
  #position = 0;
  #searchedTo = 0;

  /** @param name As it is written in the archive. */
  constructor(name: string) {
    this.#name = Buffer.from(name);
  }

  update(chunk: Buffer): void {
    for (const { kept } of this.#caught) {
      const room = MAX_ENTRY_BYTES - kept.bytes;
      if (room > 0) kept.push(Buffer.from(chunk.subarray(0, room)));
    }
    if (this.#caught.length < MAX_ENTRIES) this.#search(chunk);
    this.#position += chunk.length;
  }

  /** Gives up the bytes from the local header at `offset` on; null when no entry of the name was seen there. */
  takeAt(offset: number): Buffer | null {
    const entry = this.#caught.find((caught) => caught.offset === offset);
    return entry === undefined ? null : Buffer.concat(entry.kept.drain());
  }

  #search(chunk: Buffer): void {
    const seam = Buffer.concat([this.#carry, chunk.subarray(0, this.#name.length)]);
    if (seam.includes(this.#name) || chunk.includes(this.#name)) this.#catch(chunk);
    const carried = LOCAL_BYTES + this.#name.length - 1;
    const rest = chunk.length >= carried ? chunk : Buffer.concat([this.#carry, chunk]);
    this.#carry = Buffer.from(rest.subarray(Math.max(0, rest.length - carried)));
  }

  #catch(chunk: Buffer): void {
    const joint = Buffer.concat([this.#carry, chunk]);
    const base = this.#position - this.#carry.length;
    for (let from = 0; this.#caught.length < MAX_ENTRIES; ) {
      const at = joint.indexOf(this.#name, from);
      if (at === -1) return;
      from = at + 1;
      const offset = base + at - LOCAL_BYTES;
      if (offset < this.#searchedTo || at < LOCAL_BYTES) continue;
      this.#searchedTo = offset + 1;
      const start = at - LOCAL_BYTES;
      const kept = new BufferList();
      kept.push(Buffer.from(joint.subarray(start, start + MAX_ENTRY_BYTES)));
      this.#caught.push({ offset, kept });
    }
  }
}
