import assert from 'node:assert/strict';
import { typeOfName } from '../../../sandbox/file-types.ts';
import {
  ALL_EXTENSIONS,
  createTypePolicy,
  DEFAULT_ALLOWED,
  FILE_TYPES,
  fileTypeOfExtension,
} from '../../../server/file-types/file-types.ts';
import { checkDeclaredType, checkName } from '../../../server/file-types/validation.ts';
import { checkBeginning, everything } from './checking.ts';
import { fixture } from './type-fixtures.ts';

function checkedName(filename: string, declared: string | null = null) {
  return checkName({ filename, declaredType: declared, isMultipart: false, policy: everything });
}

async function codeOf(filename: string, declared: string | null = null, multipart = false) {
  const result = await checkDeclaredType({
    filename,
    declaredType: declared,
    isMultipart: multipart,
    policy: everything,
  });
  return result.ok ? null : result.problem.code;
}

describe('the table of types', () => {
  it('names what the sandbox expects of each extension', () => {
    for (const extension of ALL_EXTENSIONS) {
      assert.equal(typeOfName(`a.${extension}`), fileTypeOfExtension(extension)?.contentType, extension);
    }
  });

  it('names each extension once and has more than the 14 of the default', () => {
    assert.equal(new Set(ALL_EXTENSIONS).size, ALL_EXTENSIONS.length);
    assert.deepEqual(
      ALL_EXTENSIONS.filter((extension) => !DEFAULT_ALLOWED.includes(extension)),
      'vcf vcard gif heic 3gp aiff aif ogg aac m4a amr csv xls xlsx ppt pptx odt ics'.split(' '),
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
  it('rejects extensions that the table does not know', () => {
    assert.throws(() => createTypePolicy(['jpg', 'exe']), /unknown file extension "exe"/);
  });

  it('rejects what is in the table but not on the list', () => {
    const result = checkName({
      filename: 'a.vcf',
      declaredType: 'text/vcard',
      isMultipart: true,
      policy: createTypePolicy(['PNG', ' jpg']),
    });
    assert.deepEqual(result, {
      ok: false,
      problem: {
        code: 'TYPE_NOT_ALLOWED',
        reason: 'extension',
        details: {
          extension: 'vcf',
          declared: 'text/vcard',
          detected: 'text/vcard',
          allowed: ['png', 'jpg'],
        },
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
    it(`says JPEG: ${name}`, () => assert.equal(checkedName(name).ok, true));
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
      const result = checkedName(name);
      assert.equal(!result.ok && result.problem.code, 'TYPE_NOT_ALLOWED');
    });
  }
  it('is repeated in a response only in part', () => {
    const policy = createTypePolicy(DEFAULT_ALLOWED);
    const filename = `a.${'x'.repeat(10_000)}`;
    const result = checkName({ filename, declaredType: 'y'.repeat(10_000), isMultipart: false, policy });
    assert.ok(!result.ok && JSON.stringify(result).length < 500);
  });
});

describe('a declared type', () => {
  for (const type of Object.values(FILE_TYPES)) {
    it(`may be any of those of ${type.name}, in any case and with parameters`, async () => {
      for (const mime of type.mimeTypes) {
        const filename = `a.${type.extensions[0]}`;
        assert.equal(await codeOf(filename, mime), null, mime);
        assert.equal(
          await codeOf(filename, ` ${mime.toUpperCase()} ; charset="utf-8; x"; version=3`),
          null,
          mime,
        );
      }
    });

    it(`disagrees with every other row than that of ${type.name}`, async () => {
      const own = new Set<string>(type.mimeTypes);
      const others = Object.values(FILE_TYPES).flatMap(({ mimeTypes }) => [...mimeTypes]);
      for (const mime of others) {
        const agrees = own.has(mime) || (type.name === 'txt' && mime.startsWith('text/'));
        const expected = agrees ? null : 'TYPE_MISMATCH';
        assert.equal(await codeOf(`a.${type.extensions[0]}`, mime), expected, mime);
      }
    });
  }

  // What machines with WPS Office, old Linux type databases or download managers report, and what programs write.
  const saysNothing = [
    null,
    '',
    '  ',
    ';',
    '; charset=utf-8',
    'application/octet-stream',
    'Application/Octet-Stream; x=y',
    'binary/octet-stream',
    'application/force-download',
    'application/download',
    'application/unknown',
    'application/vnd.ms-office',
    'application/kswps',
    'application/wps-office.docx',
    'application/x-cfb',
    'image',
    'image/',
    '/png',
    '/',
    'png',
    'image/*',
    '*/*',
    'unknown/unknown',
    'file/unheard-of',
    'image/png, image/jpeg',
    'image/ png',
    'ímage/png',
  ];
  for (const declared of saysNothing) {
    it(`says nothing: ${JSON.stringify(declared)}`, async () => {
      for (const filename of ['a.png', 'a.docx', 'a.txt', 'a.rar']) {
        for (const multipart of [true, false]) {
          assert.equal(await codeOf(filename, declared, multipart), null, filename);
        }
      }
    });
  }

  it('says nothing as text/plain in a multipart part, and something in JSON', async () => {
    assert.equal(await codeOf('a.png', 'text/plain; charset=us-ascii', true), null);
    assert.equal(await codeOf('a.png', 'text/plain', false), 'TYPE_MISMATCH');
  });

  it('may be any kind of text for a text, but what a browser would run', async () => {
    for (const mime of [
      'text/csv',
      'text/markdown',
      'text/x-log',
      'text/rtf',
      'text/x-python',
      'Text/Calendar',
    ]) {
      assert.equal(await codeOf('a.txt', mime), null, mime);
    }
    const scripts = ['text/html', 'text/xml', 'text/javascript', 'text/x-javascript', 'text/ecmascript'];
    for (const mime of [...scripts, 'application/xml', 'application/javascript']) {
      assert.equal(await codeOf('a.txt', mime), 'TYPE_MISMATCH', mime);
    }
  });

  const somethingElse = [
    'image/jpeg',
    'image/svg+xml',
    'image/heic',
    'text/html',
    'text/csv',
    'audio/x-unheard-of',
    'font/woff2',
    'application/gzip',
    'application/x-7z-compressed',
    'application/vnd.oasis.opendocument.text',
    'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
    'application/x-msdownload',
    'application/x-msdos-program',
    'application/vnd.microsoft.portable-executable',
    'application/x-sh',
    'application/javascript',
    'application/x-javascript; charset=utf-8',
    'application/java-archive',
    'application/vnd.android.package-archive',
    'application/xhtml+xml',
  ];
  for (const declared of somethingElse) {
    it(`disagrees with a PNG: ${JSON.stringify(declared)}`, async () => {
      assert.equal(await codeOf('a.png', declared, true), 'TYPE_MISMATCH');
      const result = await checkBeginning(fixture('picture.png'), { filename: 'a.png', declared });
      assert.deepEqual(!result.ok && result.problem.details, {
        extension: 'png',
        declared,
        detected: 'image/png',
      });
    });
  }
});
