import assert from 'node:assert/strict';
import {
  ALL_EXTENSIONS,
  DEFAULT_ALLOWED,
  FILE_TYPES,
  fileTypeOfExtension,
} from '../../../server/file-types/file-types.ts';
import { createTypePolicy } from '../../../server/file-types/type-policy.ts';
import { judgeDeclared } from '../../../server/file-types/verdict.ts';
import { everything, judgeBeginning } from './judging.ts';
import { fixture } from './type-fixtures.ts';

function judge(filename: string, declared: string | null = null, multipart = false) {
  return judgeDeclared({ filename, declared, multipart, policy: everything });
}

function codeOf(filename: string, declared: string | null = null, multipart = false) {
  const verdict = judge(filename, declared, multipart);
  return verdict.ok ? null : verdict.problem.code;
}

describe('the table of types', () => {
  it('names each extension once and leaves vCards to those who ask', () => {
    assert.equal(new Set(ALL_EXTENSIONS).size, ALL_EXTENSIONS.length);
    assert.deepEqual(
      ALL_EXTENSIONS.filter((extension) => !DEFAULT_ALLOWED.includes(extension)),
      ['vcf'],
    );
  });

  it('has the first MIME type of a row as the one that is sent on', () => {
    assert.equal(fileTypeOfExtension('JPEG')?.contentType, 'image/jpeg');
    assert.equal(fileTypeOfExtension('rar')?.contentType, 'application/vnd.rar');
    assert.equal(fileTypeOfExtension('svg'), undefined);
    assert.equal(fileTypeOfExtension('__proto__'), undefined);
  });
});

describe('the list of allowed types', () => {
  it('refuses extensions that the table does not know', () => {
    assert.throws(() => createTypePolicy(['jpg', 'exe']), /unknown file extension "exe"/);
  });

  it('refuses what is in the table but not on the list', () => {
    const verdict = judgeDeclared({
      filename: 'a.vcf',
      declared: 'text/vcard',
      multipart: true,
      policy: createTypePolicy(['PNG', ' jpg']),
    });
    assert.deepEqual(verdict, {
      ok: false,
      problem: {
        code: 'TYPE_NOT_ALLOWED',
        details: { extension: 'vcf', declared: 'text/vcard', detected: null, allowed: ['png', 'jpg'] },
      },
    });
  });
});

describe('a file name', () => {
  for (const name of [
    'a.jpg',
    'a.JPG',
    'a.b.c.jpeg',
    'a.exe.jpg',
    'año nuevo.jpg',
    '..jpg',
    'folder/a.jpg',
  ]) {
    it(`says JPEG: ${name}`, () => assert.equal(codeOf(name), null));
  }
  const strange = [
    '',
    'noext',
    'a.',
    '.jpg',
    'a.pdf.exe',
    'a.jpg ',
    'a.jpg.',
    'a.jpg\0',
    'a.txt::$DATA',
    'a.jpg/',
  ];
  for (const name of [...strange, 'a.svg', 'a.html', 'a.ｊｐｇ', 'a.jpg\u202e', '.', '..', 'a.constructor']) {
    it(`says nothing that is allowed: ${JSON.stringify(name)}`, () => {
      assert.equal(codeOf(name), 'TYPE_NOT_ALLOWED');
    });
  }
  it('is repeated in an answer only in part', () => {
    const verdict = judge(`a.${'x'.repeat(10_000)}`, 'y'.repeat(10_000));
    assert.ok(!verdict.ok && JSON.stringify(verdict).length < 500);
  });
});

describe('a declared type', () => {
  for (const type of Object.values(FILE_TYPES)) {
    it(`may be any of those of ${type.label}, in any case and with parameters`, () => {
      for (const mime of type.mimeTypes) {
        const filename = `a.${type.extensions[0]}`;
        assert.equal(codeOf(filename, mime), null);
        assert.equal(codeOf(filename, ` ${mime.toUpperCase()} ; charset="utf-8; x"; version=3`), null);
      }
    });
  }
  for (const declared of [null, '', '  ', 'application/octet-stream', 'Application/Octet-Stream; x=y']) {
    it(`says nothing: ${JSON.stringify(declared)}`, () => assert.equal(codeOf('a.png', declared), null));
  }
  it('says nothing as text/plain in a multipart part, and something in JSON', () => {
    assert.equal(codeOf('a.png', 'text/plain; charset=us-ascii', true), null);
    assert.equal(codeOf('a.png', 'text/plain', false), 'TYPE_MISMATCH');
  });
  const wrong = [
    'image/jpeg',
    'image/svg+xml',
    'text/html',
    'image/*',
    '*/*',
    'png',
    'image/',
    '/png',
    '/',
    ';',
  ];
  for (const declared of [
    ...wrong,
    '; charset=utf-8',
    'image/png, image/jpeg',
    'image/ png',
    'image/png\0',
    'ímage/png',
  ]) {
    it(`disagrees with a PNG: ${JSON.stringify(declared)}`, async () => {
      assert.equal(codeOf('a.png', declared, true), 'TYPE_MISMATCH');
      const verdict = await judgeBeginning(fixture('picture.png'), { filename: 'a.png', declared });
      assert.deepEqual(!verdict.ok && verdict.problem.details, {
        extension: 'png',
        declared,
        detected: 'image/png',
      });
    });
  }
});
