import assert from 'node:assert/strict';
import { LEADING_BYTES } from '../../../server/file-types/file-types.ts';
import { hasBinaryByte } from '../../../server/file-types/formats/text.ts';
import { checkBeginning, checkStream } from './checking.ts';

async function isText(text: string | Buffer, encoding: BufferEncoding = 'utf8'): Promise<boolean> {
  const bytes = typeof text === 'string' ? Buffer.from(text, encoding) : text;
  return (await checkStream(bytes, { filename: 'a.txt' })) === null;
}

const FILLER = 'Words to the end of the head and beyond. '.repeat(200);

describe('a text', () => {
  it('may have its UTF-8 cut by the end of the head, and by the end of the file', async () => {
    const text = Buffer.from('ñ'.repeat(LEADING_BYTES));
    for (const cut of [LEADING_BYTES - 1, LEADING_BYTES - 2]) {
      const result = await checkBeginning(text.subarray(0, cut), { filename: 'a.txt' });
      assert.ok(result.ok);
    }
    assert.equal(await isText(Buffer.from('Á€').subarray(0, 4)), true);
  });

  // Each with bytes that windows-1252 has no letter for, at the beginning and far behind the head.
  const codePages: Readonly<Record<string, string>> = {
    'CP850, as DOS accounting programs export it': '90f16f2c20a8446f6e64653f',
    CP437: '8ca1c78d90ff',
    'windows-1250': '8d61bb6b792064658bf2',
    'windows-1251 that begins with я': 'ffe2edee2c20ffe920e6e8e2f3',
    'windows-1251 that begins with ящ': 'fff9e8ea20',
    'KOI8-R': 'f0d2c9d7c5d42c20cdc9d2',
    'windows-1256': '81e3d1cdc8c72098902090',
    'Mac Roman': '8d61206665 6e90747265209d'.replaceAll(' ', ''),
    'Shift-JIS': '82b182ea82cd8365835883679d',
    GBK: 'd5e2cac7b2e2cad4cec4bcfee9469180',
    Big5: 'b36fac4fb4fab8d5c0c9aed7',
    'EUC-KR': 'c0ccb0cdc0ba8c63b9e6b0a2c7cf',
  };
  for (const [name, hex] of Object.entries(codePages)) {
    it(`may be in ${name}`, async () => {
      const letters = Buffer.from(hex, 'hex');
      assert.equal(await isText(letters), true);
      assert.equal(await isText(Buffer.concat([letters, Buffer.from(FILLER), letters])), true);
      assert.equal(await isText(Buffer.concat([letters, Buffer.from('\0')])), false);
    });
  }

  it('may end with the mark that DOS puts there, once and nowhere else', async () => {
    for (const text of ['\x1a', 'Saldo: 100,00\r\n\x1a', `${FILLER}\x1a`, `\xef\xbb\xbfx\x1a`]) {
      const bytes = Buffer.from(text, 'latin1');
      assert.equal(await isText(bytes), true);
      for (const behind of ['\x1a', 'x', '\n', '\0', FILLER]) {
        assert.equal(
          await isText(Buffer.concat([bytes, Buffer.from(behind)])),
          false,
          JSON.stringify(behind),
        );
      }
    }
  });

  it('may have that mark at the end of a piece only when it is the last', async () => {
    const bytes = Buffer.from(`${FILLER}\x1a`);
    const pieces = (...ends: Buffer[]) => [bytes, ...ends];
    assert.equal(await checkStream(bytes, { filename: 'a.txt' }, () => pieces(Buffer.alloc(0))), null);
    const problem = await checkStream(bytes, { filename: 'a.txt' }, () => pieces(Buffer.from('x')));
    assert.equal(problem?.code, 'TYPE_MISMATCH');
  });

  it('has no control characters, in whatever encoding and however late', async () => {
    for (const control of ['\0', '\x01', '\x08', '\x0b', '\x0e', '\x1f']) {
      assert.equal(await isText(`a${control}b`), false, JSON.stringify(control));
      assert.equal(await isText(`${FILLER}${control}`), false);
      assert.equal(await isText(`\ufeffa${control}b`, 'utf16le'), false);
    }
    assert.equal(await isText('a\tb\r\n\fc'), true);
    assert.equal(await isText('a\x1b[0m'), false);
  });

  it('in UTF-16 has whole units and whole pairs', async () => {
    assert.equal(await isText('\ufeffaño 🙂', 'utf16le'), true);
    assert.equal(await isText(Buffer.from('\ufeffabc', 'utf16le').subarray(0, -1)), false);
    assert.equal(await isText('\ufeffa\ud83d', 'utf16le'), false);
    assert.equal(await isText('\ufeff\ude00a', 'utf16le'), false);
    assert.equal(await isText(Buffer.from('\ufeffaño', 'utf16le').swap16()), true);
    assert.equal(await isText(Buffer.from('fffe0000610000006200000063000000', 'hex')), false, 'UTF-32');
  });

  for (const start of [
    'BM',
    'MZ',
    'GIF89a',
    'ID3',
    'FORM',
    'RIFF',
    'OggS',
    'FLV',
    'MThd',
    'Rar!',
    'SQLite format 3',
    'The free ',
    '%!TEX root = a',
    '#!/bin/sh\n',
    '{"rtf": 1}',
    'PK',
  ]) {
    it(`may begin with ${JSON.stringify(start)}`, async () =>
      assert.equal(await isText(`${start} and more words\n`), true));
  }
  it('may begin with the letters of a signature in a code page too', async () => {
    for (const start of ['BM\xdc', 'MZ\xe9', 'ID3\xe9', 'GIF\x82', 'II\xa4', '7z\xa4']) {
      assert.equal(await isText(Buffer.from(`${start} y m\xe1s palabras\n`, 'latin1')), true, start);
    }
  });

  for (const start of [
    '%PDF-1.4\n',
    '\r\n %PDF-1.4\n',
    '\ufeff%PDF-1.4\n',
    '%!PS-Adobe-3.0\n',
    '{\\rtf1\\ansi ',
    '!<arch>\ndebian-binary   ',
  ]) {
    it(`is a separate document when it begins with ${JSON.stringify(start)}`, async () => {
      assert.equal(await isText(`${start} and more words\n`), false);
    });
  }
  for (const start of [
    [0xff, 0xd8, 0xff, 0xe0],
    [0xff, 0xfb, 0x90, 0x64],
    [0xcf, 0xfa, 0xed, 0xfe],
    [0x28, 0xb5, 0x2f, 0xfd],
  ]) {
    it(`is not a signature of bytes with letters behind it: ${Buffer.from(start).toString('hex')}`, async () => {
      assert.equal(await isText(Buffer.concat([Buffer.from(start), Buffer.from(FILLER)])), false);
    });
  }
});

describe('markup as a text', () => {
  const runs = [
    '<!DOCTYPE html>',
    '\n\t <html>',
    '<HTML lang=es>',
    '<script>x',
    '<svg>',
    '<svg/onload=x>',
    '<!-- x --><svg>',
    '<?xml version="1.0"?><svg>',
    '<?xml version="1.0"?>\n<!DOCTYPE svg>',
    '<iframe src=x>',
    '<x:svg xmlns:x="http://www.w3.org/2000/svg">',
    '<body onload=x>',
    '\ufeff<html>',
    '<a href=x>',
    '<!doctype foo [<!ENTITY x "y">]><svg>',
  ];
  for (const text of runs) {
    it(`is a mismatch: ${JSON.stringify(text)}`, async () => {
      assert.equal(await isText(text), false);
      if (!text.startsWith('\ufeff')) assert.equal(await isText(`\ufeff${text}`, 'utf16le'), false);
    });
  }
  const harmless = [
    '<?xml version="1.0"?><feed/>',
    '<order>',
    '<svgs>',
    '<bold>',
    '< html>',
    '<!-- only a comment -->\n# Title',
    'See <html> and <svg>',
    '<',
    '<!--',
    '<?',
    '<!doctype',
    '<abc@example.org> wrote:',
  ];
  for (const text of harmless) {
    it(`is only a text: ${JSON.stringify(text)}`, async () => assert.equal(await isText(text), true));
  }

  it('is found quickly among many openings', async () => {
    const started = process.hrtime.bigint();
    await isText('<!---->'.repeat(600));
    await isText('<!doctype a ['.repeat(300));
    await isText(' '.repeat(LEADING_BYTES));
    assert.ok(process.hrtime.bigint() - started < 500_000_000n);
  });
});

describe('a vCard', () => {
  const isCard = async (text: string, encoding: BufferEncoding = 'utf8') =>
    (await checkStream(Buffer.from(text, encoding), { filename: 'a.vcf' })) === null;

  it('begins with its first line, in any case', async () => {
    assert.equal(await isCard('BEGIN:VCARD\r\nEND:VCARD'), true);
    assert.equal(await isCard('\ufeffbegin:vCard \nend:vcard'), true);
    assert.equal(await isCard('BEGIN:VCARDS\r\n'), false);
    assert.equal(await isCard('\r\nBEGIN:VCARD\r\n'), false);
    assert.equal(await isCard('BEGIN:VCALENDAR\r\n'), false);
    assert.equal(await isCard('BEGIN:VCARD\r\n\0'), false);
  });
});

describe('the search for binary bytes', () => {
  it('finds each of them at every place and alignment, and nothing else', () => {
    const memory = Buffer.alloc(24, 'x');
    for (let byte = 0; byte < 256; byte += 1) {
      const isBinary = byte < 0x20 && !['\t', '\n', '\f', '\r'].includes(String.fromCharCode(byte));
      for (let start = 0; start < 4; start += 1) {
        for (let length = 1; length < 12; length += 1) {
          for (let at = start; at < start + length; at += 1) {
            memory[at] = byte;
            assert.equal(hasBinaryByte(memory.subarray(start, start + length)), isBinary);
            memory[at] = at % 2 === 0 ? 0xe9 : 0x0a;
          }
        }
      }
    }
    assert.equal(hasBinaryByte(Buffer.alloc(0)), false);
  });
});
