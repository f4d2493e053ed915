import assert from 'node:assert/strict';
import { TailWindow } from '../../../server/file-types/formats/tail-window.ts';
import { createRandom, randomBytes } from '../../helpers/random.ts';
import { checkBeginning, checkStream, inPiecesOf } from './checking.ts';
import { fixture } from './type-fixtures.ts';

const END_BYTES = 22;

async function codeOf(bytes: Buffer, filename: string): Promise<string | null> {
  return (await checkStream(bytes, { filename }))?.code ?? null;
}

function changed(bytes: Buffer, change: (copy: Buffer) => void): Buffer {
  const copy = Buffer.from(bytes);
  change(copy);
  return copy;
}

/** A ZIP with another comment. */
function withComment(zip: Buffer, comment: Buffer): Buffer {
  const bare = changed(zip, (copy) => copy.writeUInt16LE(comment.length, copy.length - 2));
  return Buffer.concat([bare, comment]);
}

describe('a ZIP', () => {
  const zip = fixture('archive.zip');
  const end = zip.length - END_BYTES;

  it('may have a comment as long as the format allows', async () => {
    assert.equal(await codeOf(withComment(zip, Buffer.alloc(0xffff, 'x')), 'a.zip'), null);
  });

  it('may have an end record of another archive in its comment', async () => {
    assert.equal(await codeOf(withComment(zip, zip.subarray(end)), 'a.zip'), null);
  });

  it('has only padding behind its comment, and not less than its length says', async () => {
    const commented = withComment(zip, Buffer.from('words'));
    for (const padding of ['\n', '\r\n', '\0'.repeat(512), `\n${'\0'.repeat(60_000)}`]) {
      for (const archive of [zip, commented, fixture('zip64.zip'), fixture('empty.zip')]) {
        assert.equal(await codeOf(Buffer.concat([archive, Buffer.from(padding)]), 'a.zip'), null);
      }
    }
    for (const rubbish of [' ', 'x', '\n\n.\n', `${'\0'.repeat(512)}MZ`, `${'\0'.repeat(400_000)}MZ`]) {
      const bytes = Buffer.concat([commented, Buffer.from(rubbish)]);
      assert.equal(await codeOf(bytes, 'a.zip'), 'TYPE_MISMATCH', JSON.stringify(rubbish.slice(0, 9)));
    }
    assert.equal(await codeOf(commented.subarray(0, -1), 'a.zip'), 'TYPE_MISMATCH');
  });

  it('may have any amount of padding behind it, as padding to the blocks of a tape or disk is', async () => {
    for (const padding of ['\0'.repeat(65_536), '\0'.repeat(70_000), '\r\n'.repeat(500_000)]) {
      for (const name of ['archive.zip', 'zip64.zip', 'empty.zip', 'larger-than-tail.zip', 'word.docx']) {
        const bytes = Buffer.concat([fixture(name), Buffer.from(padding)]);
        assert.equal(await codeOf(bytes, name), null, `${name} and ${padding.length}`);
      }
    }
    const entries = zip.subarray(0, zip.readUInt32LE(end + 16));
    const directory = changed(zip.subarray(entries.length), (copy) => {
      copy.writeUInt32LE(entries.length + 400_000, copy.length - END_BYTES + 16);
    });
    const between = Buffer.concat([entries, Buffer.alloc(400_000), directory]);
    assert.equal(await codeOf(between, 'a.zip'), null, 'between its entries and its directory');
  });

  it('is not the last part of one that was split', async () => {
    for (const name of ['archive.zip', 'word.docx']) {
      const whole = fixture(name);
      const last = changed(whole, (copy) => copy.writeUInt16LE(3, copy.length - END_BYTES + 4));
      for (const filename of ['a.zip', 'a.docx']) {
        const problem = await checkStream(last, { filename });
        if (name === 'word.docx' || filename === 'a.zip')
          assert.equal(problem?.details.detected, 'application/x-zip-split');
      }
    }
  });

  it('has its directory where the end record says', async () => {
    const offset = zip.readUInt32LE(end + 16);
    for (const wrong of [offset - 1, offset + 1, zip.length, 0xfffffff0]) {
      const bytes = changed(zip, (copy) => copy.writeUInt32LE(wrong, end + 16));
      assert.equal(await codeOf(bytes, 'a.zip'), 'TYPE_MISMATCH', `offset ${wrong}`);
    }
    const tooMany = changed(zip, (copy) => copy.writeUInt16LE(900, end + 10));
    assert.equal(await codeOf(tooMany, 'a.zip'), 'TYPE_MISMATCH');
  });

  it('begins with an entry: not with a program, a picture or another end record', async () => {
    for (const front of ['program.exe', 'picture.gif']) {
      assert.equal(await codeOf(Buffer.concat([fixture(front), zip]), 'a.zip'), 'TYPE_MISMATCH');
    }
  });

  it('with ZIP64 records has them consistent too', async () => {
    const big = fixture('zip64.zip');
    const record = big.lastIndexOf(Buffer.from('PK\x06\x06', 'latin1'));
    for (const [at, wrong] of [
      [40, 2n ** 40n],
      [48, 2n ** 40n],
      [48, 1n],
      [32, 2n ** 60n],
    ] as const) {
      const bytes = changed(big, (copy) => copy.writeBigUInt64LE(wrong, record + at));
      assert.equal(await codeOf(bytes, 'a.zip'), 'TYPE_MISMATCH');
    }
  });

  it('is let on by its head alone where the rest does not pass by', async () => {
    const result = await checkBeginning(fixture('larger-than-tail.zip').subarray(0, 4100), {
      filename: 'a.zip',
    });
    assert.ok(result.ok && result.structure);
  });
});

describe('a DOCX', () => {
  const docx = fixture('document.docx');

  it('is rejected when another part of its directory is another kind', async () => {
    const bytes = changed(fixture('many-parts.docx'), (copy) => {
      const name = Buffer.from('word/media/part0500.bin');
      const at = copy.lastIndexOf(name); // in the directory
      copy.write('word/vbaProject.bin'.padEnd(name.length, '_'), at);
    });
    assert.equal(await codeOf(bytes, 'a.docx'), null, 'a similar name does not count');
    const sheet = changed(fixture('many-parts.docx'), (copy) => {
      const name = Buffer.from('word/media/part0500.bin');
      copy.write('xl\\worksheets\\sheet.bin', copy.lastIndexOf(name));
    });
    assert.equal(await codeOf(sheet, 'a.docx'), 'TYPE_MISMATCH', 'backslashes and all');
  });

  it('needs its content types and a main part', async () => {
    for (const name of ['[Content_Types].xml', 'word/document.xml']) {
      const bytes = changed(docx, (copy) => copy.write('x', copy.lastIndexOf(Buffer.from(name)) + 1));
      assert.equal(await codeOf(bytes, 'a.docx'), 'TYPE_MISMATCH', name);
    }
  });

  it('may call its main part by a number, and write names in capitals', async () => {
    const upper = changed(docx, (copy) => {
      for (
        let at = copy.indexOf('word/document.xml');
        at !== -1;
        at = copy.indexOf('word/document.xml', at)
      ) {
        copy.write('WORD/DOCUMENT.XML', at);
      }
    });
    assert.equal(await codeOf(upper, 'a.docx'), null);
  });
});

describe('the window on the end of a stream', () => {
  it('holds the last bytes, however they came', () => {
    const random = createRandom(4);
    const bytes = randomBytes(20_000, random);
    for (const limit of [1, 10, 4096, 5000, 19_999, 20_000, 30_000]) {
      for (const size of [1, 7, 4096, 6000, 20_000]) {
        const tail = new TailWindow(limit);
        for (const piece of inPiecesOf(size, bytes)) tail.update(piece);
        assert.ok(
          tail.bytes().equals(bytes.subarray(Math.max(0, bytes.length - limit))),
          `${limit} by ${size}`,
        );
        assert.equal(tail.totalBytes, bytes.length);
      }
    }
  });
});
