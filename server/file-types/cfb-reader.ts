import {
  type CfbDirectory,
  entriesPerSector,
  entryIn,
  NO_DIRECTORY,
  readCfbDirectory,
} from './cfb-directory.ts';
import { CFB_HEADER_BYTES, type CfbHeader, END_OF_CHAIN, readCfbHeader } from './cfb-header.ts';

/** Directories are 1 to 8 KB; one with thousands of embedded objects is told by its first part. */
const MAX_DIRECTORY_BYTES = 64 * 1024;
/**
 * Each part of the FAT may show that other sectors are wanted than seemed so far. In real files that happens
 * once or twice; a file made for it could have almost all of itself kept.
 */
const MAX_WANTED_BYTES = 4 * MAX_DIRECTORY_BYTES;

/**
 * Picks the directory out of a compound file that streams by. Its first sector and the sectors of the FAT are in
 * the header. Sectors after the first are wanted where the FAT, once seen, puts them, and until then where
 * most writers put them, right behind the first. What went by before the FAT was seen, elsewhere, is missing.
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
