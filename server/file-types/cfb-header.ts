/** The parts of a compound file's header that say where its directory lies ([MS-CFB] section 2.2). */
export interface CfbHeader {
  readonly sectorBytes: number;
  readonly firstDirectorySector: number;
  /** Sectors of the FAT as far as the header lists them: the first 109, enough for 7 MB in 512-byte sectors. */
  readonly fatSectors: readonly number[];
}

export const CFB_HEADER_BYTES = 512;
export const END_OF_CHAIN = 0xfffffffe;
const MAX_REGULAR_SECTOR = 0xfffffffa;
const SIGNATURE = Buffer.from('d0cf11e0a1b11ae1', 'hex');

export function readCfbHeader(head: Buffer): CfbHeader | null {
  if (head.length < CFB_HEADER_BYTES || !head.subarray(0, 8).equals(SIGNATURE)) return null;
  const isLittleEndian = head.readUInt16LE(0x1c) === 0xfffe;
  const shift = head.readUInt16LE(0x1e);
  const firstDirectorySector = head.readUInt32LE(0x30);
  if (!isLittleEndian || (shift !== 9 && shift !== 12) || firstDirectorySector > MAX_REGULAR_SECTOR)
    return null;
  const fatSectors: number[] = [];
  const listed = Math.min(head.readUInt32LE(0x2c), 109);
  for (let index = 0; index < listed; index += 1) fatSectors.push(head.readUInt32LE(0x4c + 4 * index));
  return { sectorBytes: 2 ** shift, firstDirectorySector, fatSectors };
}
