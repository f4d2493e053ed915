import assert from 'node:assert/strict';
import { createTypePolicy, fileTypeOfExtension } from '../../../server/file-types/file-types.ts';
import { checkContent } from '../../../server/file-types/validation.ts';
import { createRandom, randomBytes } from '../../helpers/random.ts';
import { checkBeginning, checkStream } from './checking.ts';
import { ACCEPTED_AS, fixture } from './type-fixtures.ts';

const MS = 'application/vnd.openxmlformats-officedocument';
const SEEN: readonly (readonly [string, string, string | null])[] = [
  ['drawing.svg', 'txt', 'image/svg+xml'],
  ['drawing-utf16.svg', 'txt', 'image/svg+xml'],
  ['page.html', 'txt', 'text/html'],
  ['page.xhtml', 'txt', 'text/html'],
  ['document.rtf', 'txt', 'application/rtf'],
  ['page.ps', 'txt', 'application/postscript'],
  ['writer.pdf', 'txt', 'application/pdf'],
  ['bom.pdf', 'txt', 'application/pdf'],
  ['lines-before.pdf', 'txt', 'application/pdf'],
  ['lines-before.pdf', 'doc', 'application/pdf'],
  ['picture.png', 'jpg', 'image/png'],
  ['start-only.jpg.bin', 'jpg', null],
  ['start-only.jpg.bin', 'png', 'image/jpeg'],
  ['begins-mz.txt', 'pdf', 'text/plain'],
  ['contact.vcf', 'pdf', 'text/vcard'],
  ['data.xml.txt', 'pdf', 'application/xml'],
  ['program.exe', 'pdf', 'application/x-msdownload'],
  ['program.elf', 'mp3', 'application/x-elf'],
  ['program.macho', 'doc', 'application/x-mach-binary'],
  ['a.txt.gz', 'zip', 'application/gzip'],
  ['document.docx', 'doc', `${MS}.wordprocessingml.document`],
  ['document.doc', 'docx', 'application/x-cfb'],
  ['sheet.xls', 'doc', 'application/vnd.ms-excel'],
  ['poi-slides.ppt', 'doc', 'application/vnd.ms-powerpoint'],
  ['poi-message.msg', 'doc', 'application/vnd.ms-outlook'],
  ['poi-drawing.vsd', 'doc', 'application/vnd.visio'],
  ['installer.msi', 'doc', 'application/x-msi'],
  ['word-truncated.doc.bin', 'doc', 'application/x-cfb'],
  ['sheet.xlsx', 'docx', `${MS}.spreadsheetml.sheet`],
  ['slides.pptx', 'docx', `${MS}.presentationml.presentation`],
  ['template.dotx', 'docx', `${MS}.wordprocessingml.template`],
  ['macros.docm', 'docx', 'application/vnd.ms-word.document.macroEnabled.12'],
  ['macros-by-name-only.docm', 'docx', 'application/vnd.ms-word.document.macroEnabled.12'],
  ['document.odt', 'docx', 'application/vnd.oasis.opendocument.text'],
  ['book.epub', 'docx', 'application/epub+zip'],
  ['meta-inf.jar', 'docx', 'application/java-archive'],
  ['archive.zip', 'docx', 'application/zip'],
  ['movie.mov', 'mp4', 'video/quicktime'],
  ['phone.3gp', 'mp4', 'video/3gpp'],
  ['tone.m4a', 'mp4', 'audio/mp4'],
  ['picture.heic', 'mp4', 'image/heic'],
  ['picture.avif', 'mp4', 'image/avif'],
  ['transport.ts', 'mpeg', 'video/mp2t'],
  ['program-mpeg2.mpg', 'mp4', 'video/mpeg'],
  ['tone.mp2', 'mp3', 'audio/mp2'],
  ['tone.aac', 'mp3', 'audio/aac'],
  ['tone.flac', 'wav', 'audio/flac'],
  ['poi-encrypted.docx.cfb', 'docx', 'application/vnd.openxmlformats-officedocument.encrypted'],
  ['poi-encrypted.docx.cfb', 'doc', 'application/vnd.openxmlformats-officedocument.encrypted'],
  ['owner-file.docx.bin', 'docx', 'application/x-office-owner-file'],
  ['word-plain.doc', 'docx', 'application/msword'],
  ['document.rtf', 'doc', 'application/rtf'],
  ['page.html', 'doc', 'text/html'],
  ['web-archive.mht', 'doc', 'application/x-mimearchive'],
  ['word-2003.xml', 'doc', 'application/vnd.ms-wordml'],
  ['rf64.wav', 'wav', 'audio/x-rf64'],
  ['rifx.wav', 'wav', 'audio/x-rifx'],
  ['split-first.z01', 'zip', 'application/x-zip-split'],
  ['split-last.zip', 'zip', 'application/x-zip-split'],
  ['self-extracting.exe', 'zip', 'application/x-msdownload'],
  ['self-extracting.exe', 'rar', 'application/x-msdownload'],
  ['utf16-without-bom.bin', 'txt', null],
];

describe('the type detected of accepted content whose declared type differs', () => {
  for (const [name, extensions] of Object.entries(ACCEPTED_AS)) {
    for (const extension of extensions) {
      it(`is that of the extension: ${name} as .${extension}`, async () => {
        const result = await checkBeginning(fixture(name), {
          filename: `a.${extension}`,
          declared: extension === 'gif' ? 'image/png' : 'image/gif',
        });
        assert(!result.ok && result.problem.reason === 'declared');
        assert.equal(result.problem.details.detected, fileTypeOfExtension(extension)?.contentType);
      });
    }
  }
});

describe('the details of a mismatch', () => {
  for (const [name, extension, detected] of SEEN) {
    it(`say of ${name} as .${extension}: ${detected}`, async () => {
      const problem = await checkStream(fixture(name), { filename: `a.${extension}`, declared: null });
      assert.equal(problem?.reason, 'content');
      assert.deepEqual(problem?.details, { extension, declared: null, detected });
    });
  }
});

describe('a WAV whose length begins a video', () => {
  for (const [box, detected] of [
    ['ftyp', 'video/mp4'],
    ['moov', 'video/quicktime'],
    ['mdat', 'video/quicktime'],
    ['free', 'video/quicktime'],
    ['wide', 'video/quicktime'],
  ] as const) {
    it(`is not taken for a WAV: ${box}`, async () => {
      const bytes = Buffer.from(fixture('tone.wav'));
      bytes.write(box, 4, 'latin1');
      const problem = await checkStream(bytes, { filename: 'a.wav', declared: null });
      assert.deepEqual(problem?.details, { extension: 'wav', declared: null, detected });
    });
  }
});

describe('hostile bytes', () => {
  const extensions = [
    'jpg',
    'png',
    'mp4',
    'mpg',
    'zip',
    'rar',
    'pdf',
    'doc',
    'docx',
    'txt',
    'mp3',
    'vcf',
    'wav',
  ];

  async function checkEverywhere(bytes: Buffer): Promise<void> {
    for (const extension of extensions) {
      const upload = { filename: `a.${extension}` };
      const whole = await checkBeginning(bytes, upload, true);
      assert.ok(whole.ok || whole.problem.code === 'TYPE_MISMATCH');
      const streamed = await checkStream(bytes, upload);
      assert.ok(streamed === null || streamed.code === 'TYPE_MISMATCH');
    }
  }

  it('never make the checks throw when they are few', async () => {
    for (const bytes of [
      [],
      [0],
      [0xff],
      [0xff, 0xfe],
      [0xef, 0xbb, 0xbf],
      [0x50, 0x4b, 3, 4],
      [0x50, 0x4b, 5, 6],
    ]) {
      await checkEverywhere(Buffer.from(bytes));
    }
  });

  it('never make the checks throw when they are random', async () => {
    const random = createRandom(1);
    for (let round = 0; round < 60; round += 1)
      await checkEverywhere(randomBytes(Math.floor(random() * 9000), random));
  });

  it('never make the checks throw when they are real files cut short', async () => {
    const random = createRandom(2);
    for (const name of Object.keys(ACCEPTED_AS)) {
      const bytes = fixture(name);
      await checkEverywhere(bytes.subarray(0, Math.floor(random() * Math.min(bytes.length, 6000))));
    }
  });

  it('never make the checks throw when they are real files with changed bytes', async () => {
    const random = createRandom(3);
    for (const name of Object.keys(ACCEPTED_AS)) {
      const original = fixture(name);
      for (let round = 0; round < 3; round += 1) {
        const bytes = Buffer.from(original);
        for (let change = 0; change < 40; change += 1) {
          const isNearBeginning = random() < 0.5;
          const at = Math.floor(random() * (isNearBeginning ? Math.min(700, bytes.length) : bytes.length));
          bytes[at] = random() < 0.5 ? 0xff : Math.floor(random() * 256);
        }
        await checkEverywhere(bytes);
      }
    }
  });

  it('are not read at all when the extension is off the list', async () => {
    const policy = createTypePolicy(['png']);
    const head = fixture('picture.png');
    const result = await checkContent({
      filename: 'a.gif',
      declaredType: null,
      isMultipart: true,
      policy,
      bytes: head,
      isWhole: true,
    });
    assert.equal(!result.ok && result.problem.code, 'TYPE_NOT_ALLOWED');
  });
});
