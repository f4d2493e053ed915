/** What a compound file's directory says of its kind ([MS-CFB] section 2.6). */
export interface CfbDirectory {
  /** False when the file ended before the directory that its header promises. */
  readonly hasRoot: boolean;
  /** The root's class, lower case with dashes; null when it is all zeros or was not seen. */
  readonly rootClass: string | null;
  /** Names of the streams and storages directly in the root, as far as seen; in upper case, as 2.6.4 compares them. */
  readonly rootNames: ReadonlySet<string>;
}

export const NO_DIRECTORY: CfbDirectory = { hasRoot: false, rootClass: null, rootNames: new Set() };

const ENTRY_BYTES = 128;
const NO_STREAM = 0xffffffff;
const TYPE_ROOT = 5;

/**
 * Reads a directory of which parts may be missing: `entryAt` gives the 128 bytes of an entry, or null.
 * Names are those of the tree below the root, since an embedded workbook has its own `Workbook` deeper down.
 */
export function readCfbDirectory(entryAt: (id: number) => Buffer | null, maxEntries: number): CfbDirectory {
  const root = entryAt(0);
  if (root?.[0x42] !== TYPE_ROOT) return NO_DIRECTORY;
  const rootNames = new Set<string>();
  const seen = new Set<number>();
  const pending = [root.readUInt32LE(0x4c)];
  for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
    if (id === NO_STREAM || id >= maxEntries || seen.has(id)) continue;
    seen.add(id);
    const entry = entryAt(id);
    if (!entry) continue;
    rootNames.add(nameOf(entry));
    pending.push(entry.readUInt32LE(0x44), entry.readUInt32LE(0x48));
  }
  return { hasRoot: true, rootClass: classOf(root), rootNames };
}

export function entriesPerSector(sectorBytes: number): number {
  return sectorBytes / ENTRY_BYTES;
}

export function entryIn(sector: Buffer, index: number): Buffer {
  return sector.subarray(index * ENTRY_BYTES, (index + 1) * ENTRY_BYTES);
}

function nameOf(entry: Buffer): string {
  const lengthBytes = Math.min(entry.readUInt16LE(0x40), 64);
  return entry.toString('utf16le', 0, Math.max(0, lengthBytes - 2)).toUpperCase();
}

/** [MS-DTYP] section 2.3.4.3: the first three groups are little-endian. */
function classOf(root: Buffer): string | null {
  const id = root.subarray(0x50, 0x60);
  if (id.every((byte) => byte === 0)) return null;
  const group = (...at: number[]) =>
    at.map((index) => id.subarray(index, index + 1).toString('hex')).join('');
  return [group(3, 2, 1, 0), group(5, 4), group(7, 6), group(8, 9), group(10, 11, 12, 13, 14, 15)].join('-');
}
