import { MAX_PADDING_BYTES, PADDING } from './tail-window.ts';

/** What a part of an archive that was split into several files is called here. */
export const SPLIT_ZIP = 'application/x-zip-split';

/** Where a ZIP's central directory lies, in bytes from the archive's beginning. */
export interface ZipDirectory {
  readonly entryCount: number;
  readonly sizeBytes: number;
  readonly offset: number;
}

/** The longest end record with its comment, room for the ZIP64 records before it and for padding after it. */
export const ZIP_END_BYTES = 22 + 0xffff + 4096 + MAX_PADDING_BYTES;

const END = Buffer.from('PK\x05\x06', 'latin1');
const END_BYTES = 22;
const ENTRY = 0x02014b50;
const ENTRY_BYTES = 46;
const ZIP64_LOCATOR = 0x07064b50;
const ZIP64_LOCATOR_BYTES = 20;
const ZIP64_END = 0x06064b50;
const ZIP64_END_BYTES = 56;

/**
 * Reads the end of central directory record (APPNOTE.TXT 6.3.10, sections 4.3.14 to 4.3.16) from the last
 * bytes of an archive of `totalBytes`. Only padding may follow the record's comment, the directory has to
 * lie before the record, and where it can be seen it has to begin with an entry. Null otherwise.
 */
export function findZipDirectory(tail: Buffer, totalBytes: number): ZipDirectory | null {
  const tailStart = totalBytes - tail.length;
  const contentStart = Math.max(0, tail.length - MAX_PADDING_BYTES);
  let contentEnd = tail.length;
  while (contentEnd > contentStart && PADDING.has(tail[contentEnd - 1])) contentEnd -= 1;
  const earliest = Math.max(0, contentEnd - END_BYTES - 0xffff);
  let at = tail.length - END_BYTES;
  while (at >= earliest) {
    at = tail.lastIndexOf(END, at);
    if (at < earliest) return null;
    const end = at + END_BYTES + tail.readUInt16LE(at + 20);
    const endsWithFile = end >= contentEnd && end <= tail.length;
    const directory = endsWithFile ? readEnd(tail, at, tailStart) : null;
    if (directory) return directory;
    at -= 1; // a comment may hold the signature too
  }
  return null;
}

/** Whether this is the last part of an archive that was split into several files. */
export function endsSplitArchive(tail: Buffer): boolean {
  const at = tail.lastIndexOf(END, tail.length - END_BYTES);
  return at !== -1 && isOfLaterDisk(tail, at);
}

/** The archive's disk number; saturated where ZIP64 records have it. */
function isOfLaterDisk(tail: Buffer, at: number): boolean {
  const disk = tail.readUInt16LE(at + 4);
  return disk !== 0 && disk !== 0xffff;
}

function readEnd(tail: Buffer, at: number, tailStart: number): ZipDirectory | null {
  const directory = {
    entryCount: tail.readUInt16LE(at + 10),
    sizeBytes: tail.readUInt32LE(at + 12),
    offset: tail.readUInt32LE(at + 16),
  };
  if (isOfLaterDisk(tail, at)) return null;
  const isSaturated =
    directory.entryCount === 0xffff || directory.sizeBytes === 0xffffffff || directory.offset === 0xffffffff;
  const locator = at - ZIP64_LOCATOR_BYTES;
  if (isSaturated && locator >= 0 && tail.readUInt32LE(locator) === ZIP64_LOCATOR) {
    return readZip64(tail, locator, tailStart);
  }
  return isConsistent(directory, tail, tailStart + at, tailStart) ? directory : null;
}

function readZip64(tail: Buffer, locator: number, tailStart: number): ZipDirectory | null {
  const offset = Number(tail.readBigUInt64LE(locator + 8));
  const at = offset - tailStart;
  if (at < 0 || at + ZIP64_END_BYTES > locator || tail.readUInt32LE(at) !== ZIP64_END) return null;
  const directory = {
    entryCount: Number(tail.readBigUInt64LE(at + 32)),
    sizeBytes: Number(tail.readBigUInt64LE(at + 40)),
    offset: Number(tail.readBigUInt64LE(at + 48)),
  };
  return isConsistent(directory, tail, offset, tailStart) ? directory : null;
}

function isConsistent(directory: ZipDirectory, tail: Buffer, end: number, tailStart: number): boolean {
  const { entryCount, sizeBytes, offset } = directory;
  if (offset + sizeBytes > end || sizeBytes < entryCount * ENTRY_BYTES) return false;
  if (entryCount === 0) return sizeBytes === 0;
  const at = offset - tailStart;
  return at < 0 || tail.readUInt32LE(at) === ENTRY;
}

/** An entry of a central directory (section 4.3.12). */
export interface ZipEntry {
  /** In lower case with forward slashes: OPC compares names without case. */
  readonly name: string;
  readonly method: number;
  /** Without the local header, in bytes. */
  readonly packedBytes: number;
  /** Where its local header begins. */
  readonly offset: number;
}

/** The entries of a central directory; null when it is not within the tail or not well formed. */
export function readZipEntries(directory: ZipDirectory, tail: Buffer, totalBytes: number): ZipEntry[] | null {
  const entries: ZipEntry[] = [];
  let at = directory.offset - (totalBytes - tail.length);
  if (at < 0) return null;
  const end = at + directory.sizeBytes;
  for (let left = directory.entryCount; left > 0; left -= 1) {
    if (at + ENTRY_BYTES > end || tail.readUInt32LE(at) !== ENTRY) return null;
    const nameEnd = at + ENTRY_BYTES + tail.readUInt16LE(at + 28);
    const extraEnd = nameEnd + tail.readUInt16LE(at + 30);
    if (extraEnd > end) return null;
    const [, packedBytes = 0, offset = 0] = readSizes(tail, at, tail.subarray(nameEnd, extraEnd));
    const name = toPartName(tail.toString('utf8', at + ENTRY_BYTES, nameEnd));
    entries.push({ name, method: tail.readUInt16LE(at + 10), packedBytes, offset });
    at = extraEnd + tail.readUInt16LE(at + 32);
  }
  return entries;
}

/** Unpacked size, packed size and offset; those that do not fit are in the extra field (section 4.5.3). */
function readSizes(tail: Buffer, at: number, extra: Buffer): number[] {
  const large = zip64Extra(extra);
  let next = 0;
  return [24, 20, 42].map((field) => {
    const value = tail.readUInt32LE(at + field);
    if (value !== 0xffffffff || next + 8 > large.length) return value;
    next += 8;
    return Number(large.readBigUInt64LE(next - 8));
  });
}

function zip64Extra(extra: Buffer): Buffer {
  for (let at = 0; at + 4 <= extra.length; ) {
    const end = at + 4 + extra.readUInt16LE(at + 2);
    if (extra.readUInt16LE(at) === 1) return extra.subarray(at + 4, end);
    at = end;
  }
  return Buffer.alloc(0);
}

/** Some writers put backslashes, against section 4.4.17.1. */
export function toPartName(name: string): string {
  return name.replaceAll('\\', '/').toLowerCase();
}
