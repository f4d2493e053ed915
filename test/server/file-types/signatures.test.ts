import assert from 'node:assert/strict';
import { checkBeginning, checkStream } from './checking.ts';
import { fixture } from './type-fixtures.ts';

async function fits(bytes: Buffer, filename: string): Promise<boolean> {
  return (await checkStream(bytes, { filename })) === null;
}

function ftyp(major: string, ...compatible: string[]): Buffer {
  const brands = [major, '\0\0\0\0', ...compatible].join('');
  const box = Buffer.from(`\0\0\0\0ftyp${brands}`, 'latin1');
  box.writeUInt32BE(box.length);
  return Buffer.concat([box, Buffer.from('\0\0\0\x08free', 'latin1')]);
}

describe('the brands of an MP4', () => {
  const mp4s: string[][] = [
    ['isom'],
    ['mp42', 'M4A '],
    ['M4V ', 'qt  '],
    ['dash'],
    ['XAVC', 'XAVC', 'mp42'],
    ['3gp5', 'mp42'],
  ];
  for (const [major = '', ...compatible] of mp4s) {
    it(`make one: ${major} with ${compatible.join(', ') || 'nothing'}`, async () => {
      assert.equal(await fits(ftyp(major, ...compatible), 'a.mp4'), true);
    });
  }
  const others: string[][] = [
    ['qt  ', 'mp42'],
    ['heic', 'mp42'],
    ['mif1', 'isom'],
    ['avif', 'isom'],
    ['M4A ', 'mp42'],
    ['M4B ', 'isom'],
    ['3gp4', 'isom'],
    ['abcd'],
    ['abcd', 'qt  ', 'isom'],
    ['crx ', 'isom'],
  ];
  for (const [major = '', ...compatible] of others) {
    it(`make none: ${major} with ${compatible.join(', ') || 'nothing'}`, async () => {
      assert.equal(await fits(ftyp(major, ...compatible), 'a.mp4'), false);
    });
  }
});

describe('a JPEG', () => {
  it('needs a marker that may come first, and its length', async () => {
    const marker = (...bytes: number[]) => fits(Buffer.from([0xff, 0xd8, 0xff, ...bytes]), 'a.jpg');
    assert.equal(await marker(0xe0, 0, 16, 0x4a, 0x46), true);
    assert.equal(await marker(0xff, 0xdb, 0, 67), true, 'after a fill byte');
    assert.equal(await marker(0xe0, 0, 1), false);
    assert.equal(await marker(0xe0, 0), false);
    assert.equal(await marker(0xf7, 0, 16), false, 'JPEG-LS');
    assert.equal(await marker(0xd8, 0, 16), false);
    assert.equal(await marker(0x00, 0, 16), false);
  });
});

describe('a PDF', () => {
  const pdf = fixture('ghostscript.pdf');
  const behind = (front: string) => fits(Buffer.concat([Buffer.from(front, 'latin1'), pdf]), 'a.pdf');

  it('may have a byte order mark and white space before its header, within 1,024 bytes', async () => {
    for (const front of ['\n', '\r\n\t \r\n', '\0\f', '\xef\xbb\xbf', '\xef\xbb\xbf\r\n', ' '.repeat(1019)]) {
      assert.equal(await behind(front), true, JSON.stringify(front));
    }
    assert.equal(await behind(' '.repeat(1020)), false);
  });

  it('has nothing else before it', async () => {
    for (const front of [
      'x',
      '\r\nx\r\n',
      'MZ',
      'GIF89a',
      '--X\r\n\r\n',
      '\xff\xfe',
      '\xa0',
      '\x0b',
      '<html>',
    ]) {
      assert.equal(await behind(front), false, JSON.stringify(front));
    }
  });

  it('is not another kind with white space for a beginning', async () => {
    const dicom = Buffer.concat([Buffer.alloc(1), pdf]);
    dicom.write('DICM', 128, 'latin1');
    assert.equal(await fits(dicom, 'a.pdf'), false);
  });
});

describe('an MPEG video', () => {
  it('has the marker bits of its pack header', async () => {
    const bytes = Buffer.from(fixture('program-mpeg2.mpg'));
    bytes[4] = 0xc4;
    assert.equal(await fits(bytes, 'a.mpg'), false);
  });
});

function syncsafe(bytes: Buffer): number {
  return bytes.reduce((value, byte) => value * 128 + byte, 0);
}

describe('an MP3', () => {
  const bare = fixture('bare.mp3');
  const cover = fixture('cover-art.mp3');
  const tag = cover.subarray(0, 10 + syncsafe(cover.subarray(6, 10)));

  it('needs a second frame', async () => {
    const lone = Buffer.concat([bare.subarray(0, 104), Buffer.alloc(5000, 0x55)]);
    assert.equal(await fits(lone, 'a.mp3'), false);
    assert.equal(await fits(bare.subarray(0, 104), 'a.mp3'), true, 'unless the file ends with the first');
  });

  it('may have up to 4 KiB of other bytes before four frames that follow each other', async () => {
    const behind = (junk: number, frames = bare) =>
      fits(Buffer.concat([Buffer.alloc(junk, '\x11\x22\xff\x33', 'latin1'), frames]), 'a.mp3');
    const frame = bare.subarray(0, 104);
    for (const junk of [1, 417, 4000, 4096]) assert.equal(await behind(junk), true, `${junk}`);
    assert.equal(await behind(4097), false);
    const three = Buffer.concat([frame, frame, frame, Buffer.alloc(9000, 0x55)]);
    assert.equal(await behind(417, three), false);
    assert.equal(await behind(417, three.subarray(0, 312)), false, 'nor where the file ends with them');
  });

  it('is not another kind that holds one', async () => {
    for (const name of ['mp3-inside.wav', 'mp3-inside.mka', 'mp3-inside.mov', 'mp3-stored.zip']) {
      assert.equal(await fits(fixture(name), 'a.mp3'), false, name);
    }
  });

  it('may have padding and more than one tag before its frames', async () => {
    const small = Buffer.from('ID3\x03\0\0\0\0\0\x02\0\0', 'latin1');
    assert.equal(await fits(Buffer.concat([small, small, Buffer.alloc(9000), bare]), 'a.mp3'), true);
  });

  it('is not a tag with something else behind it', async () => {
    assert.ok(tag.length > 100_000);
    for (const other of ['tone.aac', 'tone.mp2', 'tone.flac', 'archive.zip', 'program.exe']) {
      assert.equal(await fits(Buffer.concat([tag, fixture(other)]), 'a.mp3'), false, other);
    }
    assert.equal(await fits(tag.subarray(0, 50_000), 'a.mp3'), false, 'nor a tag alone');
  });

  it('is let on by its tag where the frames lie behind the head', async () => {
    const result = await checkBeginning(fixture('cover-art.mp3').subarray(0, 4100), { filename: 'a.mp3' });
    assert.ok(result.ok && result.structure);
  });
});

describe('a DOC', () => {
  it('is a Word document by its root, not by what is embedded in it', async () => {
    const bytes = Buffer.from(fixture('word-plain.doc'));
    const name = Buffer.from('WordDocument', 'utf16le');
    bytes.write('BordDocument', bytes.indexOf(name), 'utf16le');
    const root = bytes.indexOf(Buffer.from('Root Entry', 'utf16le'));
    bytes.fill(0, root + 0x50, root + 0x60);
    bytes.fill(0, 512, 514);
    assert.equal(await fits(bytes, 'a.doc'), false);
  });

  it('is rejected when its root is of a class that is not Word', async () => {
    const bytes = Buffer.from(fixture('word-plain.doc'));
    const root = bytes.indexOf(Buffer.from('Root Entry', 'utf16le'));
    Buffer.from('84100c00000000000000c000000000000046', 'hex').copy(bytes, root + 0x50, 0, 4);
    bytes.fill(0, root + 0x54, root + 0x58);
    assert.equal(await fits(bytes, 'a.doc'), false);
  });

  it('survives a directory that goes in circles', async () => {
    const bytes = Buffer.from(fixture('word-plain.doc'));
    const root = bytes.indexOf(Buffer.from('Root Entry', 'utf16le'));
    for (let entry = root + 128; entry + 128 <= bytes.length; entry += 128) {
      bytes.writeUInt32LE(1, entry + 0x44);
      bytes.writeUInt32LE(1, entry + 0x48);
    }
    await fits(bytes, 'a.doc');
  });
});
