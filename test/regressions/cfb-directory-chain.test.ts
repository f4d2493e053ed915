import assert from 'node:assert/strict';
import { CfbReader } from '../../server/file-types/formats/cfb.ts';

const SECTOR = 512;
const FAT_SECTORS = 109;
const ENTRIES = SECTOR / 4;

/**
 * A compound file whose directory chain jumps on into a part of the FAT that comes only after all that is
 * wanted so far: with every sector of the FAT, the reader learns that it has waited for the wrong sectors.
 */
function misleadingFile(): Buffer {
  const file = Buffer.alloc(SECTOR * (1 + FAT_SECTORS * ENTRIES));
  Buffer.from('d0cf11e0a1b11ae1', 'hex').copy(file);
  file.writeUInt16LE(0xfffe, 0x1c);
  file.writeUInt16LE(9, 0x1e);
  file.writeUInt32LE(FAT_SECTORS, 0x2c);
  file.writeUInt32LE(ENTRIES - 8, 0x30);
  for (let index = 0; index < FAT_SECTORS; index += 1) {
    file.writeUInt32LE(index, 0x4c + 4 * index);
    const fat = SECTOR * (1 + index);
    for (let entry = 0; entry < ENTRIES; entry += 1) {
      file.writeUInt32LE(index * ENTRIES + entry + 1, fat + 4 * entry);
    }
    const jump = index === 0 ? ENTRIES - 8 : 0;
    file.writeUInt32LE((index + 1) * ENTRIES, fat + 4 * jump);
  }
  return file;
}

describe('a DOC whose FAT misleads about its directory', () => {
  it('makes its reader hold no more than directories need', () => {
    const reader = new CfbReader();
    const file = misleadingFile();
    for (let at = 0; at < file.length; at += 64 * 1024) reader.update(file.subarray(at, at + 64 * 1024));
    assert(reader.heldBytes > 0);
    assert(reader.heldBytes <= 512 * 1024, `${reader.heldBytes} bytes`);
    assert.equal(reader.readDirectory().hasRoot, false);
  });

  it('ends for a chain that runs in a circle, in the FAT and in the directory', () => {
    const file = misleadingFile();
    file.writeUInt32LE(ENTRIES - 8, SECTOR + 4 * (ENTRIES - 8));
    const root = SECTOR * (1 + ENTRIES - 8);
    file[root + 0x42] = 5;
    file.writeUInt32LE(1, root + 0x4c);
    for (const link of [0x44, 0x48]) file.writeUInt32LE(1, root + 128 + link);
    const reader = new CfbReader();
    reader.update(file);
    assert.equal(reader.readDirectory().hasRoot, true);
    assert.equal(reader.readDirectory().rootNames.size, 1);
  });
});
