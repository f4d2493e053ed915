/** The parts of a compound file's header that say where its directory lies ([MS-CFB] section 2.2). */
interface CfbHeader {
  readonly sectorBytes: number;
  readonly firstDirectorySector: number;
  /** Sectors of the FAT as far as the header lists them: the first 109, enough for 7 MB in 512-byte sectors. */
  readonly fatSectors: readonly number[];
}

const CFB_HEADER_BYTES = 512;
const END_OF_CHAIN = 0xfffffffe;
const MAX_REGULAR_SECTOR = 0xfffffffa;
const SIGNATURE = Buffer.from('d0cf11e0a1b11ae1', 'hex');

function readCfbHeader(bytes: Buffer): CfbHeader | null {
  if (bytes.length < CFB_HEADER_BYTES || !bytes.subarray(0, 8).equals(SIGNATURE)) return null;
  const isLittleEndian = bytes.readUInt16LE(0x1c) === 0xfffe;
  const shift = bytes.readUInt16LE(0x1e);
  const firstDirectorySector = bytes.readUInt32LE(0x30);
  if (!isLittleEndian || (shift !== 9 && shift !== 12) || firstDirectorySector > MAX_REGULAR_SECTOR)
    return null;
  const fatSectors: number[] = [];
  const listed = Math.min(bytes.readUInt32LE(0x2c), 109);
  for (let index = 0; index < listed; index += 1) fatSectors.push(bytes.readUInt32LE(0x4c + 4 * index));
  return { sectorBytes: 2 ** shift, firstDirectorySector, fatSectors };
}

/** What a compound file's directory says about its kind ([MS-CFB] section 2.6). */
export interface CfbDirectory {
  /** False when the file ended before the directory that its header promises. */
  readonly hasRoot: boolean;
  /** The root's class, lower case with dashes; null when it is all zeros or was not seen. */
  readonly rootClass: string | null;
  /** Names of the streams and storages directly in the root, as far as seen; in upper case, as 2.6.4 compares them. */
  readonly rootNames: ReadonlySet<string>;
}

const NO_DIRECTORY: CfbDirectory = { hasRoot: false, rootClass: null, rootNames: new Set() };

const ENTRY_BYTES = 128;
const NO_STREAM = 0xffffffff;
const TYPE_ROOT = 5;

/**
 * Reads a directory of which parts may be missing: `entryAt` gives the 128 bytes of an entry, or null.
 * Names are those of the tree below the root, since an embedded workbook has its own `Workbook` deeper down.
 */
function readCfbDirectory(entryAt: (id: number) => Buffer | null, maxEntries: number): CfbDirectory {
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

function entriesPerSector(sectorBytes: number): number {
  return sectorBytes / ENTRY_BYTES;
}

function entryIn(sector: Buffer, index: number): Buffer {
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

/** Directories are 1 to 8 KB; one with thousands of embedded objects is identified by its first part. */
const MAX_DIRECTORY_BYTES = 64 * 1024;
/**
 * Each part of the FAT may show that other sectors are wanted than seemed so far. In real files that happens
 * once or twice; a file made for it could have almost all of itself kept.
 */
const MAX_WANTED_BYTES = 4 * MAX_DIRECTORY_BYTES;

/**
 * Picks the directory out of a compound file that streams by. Its first sector and the sectors of the FAT are in
 * the header. Sectors after the first are wanted where the FAT, once seen, puts them, and until then where
 * most writers put them, right after the first. What went by before the FAT was seen, elsewhere, is missing.
 */
export class CfbReader {
  /** The first bytes after the header: where Word keeps the beginning of its main stream. */
  readonly afterHeader: number[] = [];
  #position = 0;
  #headerBytes = Buffer.alloc(0);
  #header: CfbHeader | null = null;
  #wanted = new Map<number, Buffer>();
  #fatIndexOf = new Map<number, number>();
  #wantedBytes = 0;

  get header(): CfbHeader | null {
    return this.#header;
  }

  /** What is kept of the file at the moment, in bytes. */
  get heldBytes(): number {
    return [...this.#wanted.values()].reduce((sum, { length }) => sum + length, 0);
  }

  update(chunk: Buffer): void {
    let rest = chunk;
    if (this.#headerBytes.length < CFB_HEADER_BYTES) {
      const taken = rest.subarray(0, CFB_HEADER_BYTES - this.#headerBytes.length);
      this.#headerBytes = Buffer.concat([this.#headerBytes, taken]);
      this.#position += taken.length;
      rest = rest.subarray(taken.length);
      if (this.#headerBytes.length === CFB_HEADER_BYTES) this.#begin();
    }
    if (this.#header) this.#capture(rest, this.#header);
  }

  readDirectory(): CfbDirectory {
    const header = this.#header;
    if (!header) return NO_DIRECTORY;
    const perSector = entriesPerSector(header.sectorBytes);
    const chain = this.#directoryChain(header);
    return readCfbDirectory((id) => {
      const sector = chain[Math.floor(id / perSector)];
      const bytes = sector === undefined ? undefined : this.#wholeSector(sector, header);
      return bytes ? entryIn(bytes, id % perSector) : null;
    }, chain.length * perSector);
  }

  #begin(): void {
    this.#header = readCfbHeader(this.#headerBytes);
    if (!this.#header) return;
    this.#header.fatSectors.forEach((sector, index) => {
      this.#fatIndexOf.set(sector, index);
      this.#wanted.set(sector, Buffer.alloc(0));
    });
    this.#wantDirectory(this.#header);
  }

  #wantDirectory(header: CfbHeader): void {
    for (const sector of this.#directoryChain(header)) {
      if (this.#wanted.has(sector)) continue;
      if (this.#wantedBytes + header.sectorBytes > MAX_WANTED_BYTES) return;
      this.#wantedBytes += header.sectorBytes;
      this.#wanted.set(sector, Buffer.alloc(0));
    }
  }

  /** Copies the parts of wanted sectors that this chunk brings. */
  #capture(chunk: Buffer, header: CfbHeader): void {
    const { sectorBytes } = header;
    for (let at = 0; at < chunk.length; ) {
      const position = this.#position + at;
      const sector = Math.floor(position / sectorBytes) - 1;
      const part = chunk.subarray(at, at + sectorBytes - (position % sectorBytes));
      if (this.afterHeader.length < 8)
        this.afterHeader.push(...part.subarray(0, 8 - this.afterHeader.length));
      const held = this.#wanted.get(sector);
      if (held && held.length === position % sectorBytes) {
        this.#wanted.set(sector, Buffer.concat([held, part]));
        const isWholeFat = held.length + part.length === sectorBytes && this.#fatIndexOf.has(sector);
        if (isWholeFat) this.#wantDirectory(header);
      }
      at += part.length;
    }
    this.#position += chunk.length;
  }

  /** The directory's sectors in order, by the FAT where it is known and by neighbourhood where not. */
  #directoryChain(header: CfbHeader): number[] {
    const chain: number[] = [];
    const maxSectors = MAX_DIRECTORY_BYTES / header.sectorBytes;
    for (let sector = header.firstDirectorySector; chain.length < maxSectors; ) {
      chain.push(sector);
      const next = this.#nextInFat(sector, header) ?? sector + 1;
      if (next >= END_OF_CHAIN || chain.includes(next)) break;
      sector = next;
    }
    return chain;
  }

  #nextInFat(sector: number, header: CfbHeader): number | null {
    const perSector = header.sectorBytes / 4;
    const fatSector = header.fatSectors[Math.floor(sector / perSector)];
    const bytes = fatSector === undefined ? undefined : this.#wholeSector(fatSector, header);
    return bytes ? bytes.readUInt32LE(4 * (sector % perSector)) : null;
  }

  #wholeSector(sector: number, header: CfbHeader): Buffer | undefined {
    const bytes = this.#wanted.get(sector);
    return bytes?.length === header.sectorBytes ? bytes : undefined;
  }
}
