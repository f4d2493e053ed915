import assert from 'node:assert/strict';
import { createTypePolicy, DEFAULT_ALLOWED } from '../../../server/file-types/file-types.ts';
import { kindOfExtension, kindOfMimeType } from '../../../server/file-types/kinds.ts';
import { toTypeError } from '../../../server/uploads/incoming-file.ts';
import { checkStream } from './checking.ts';
import { ACCEPTED_AS, fixture } from './type-fixtures.ts';

const usual = createTypePolicy(DEFAULT_ALLOWED);

interface Case {
  /** A fixture; by default `ascii.txt`. */
  readonly file?: string;
  readonly filename: string;
  readonly declared?: string;
  readonly policy?: typeof usual;
}

/** The English and the Spanish message for an upload that is rejected. */
async function say({ file = 'ascii.txt', filename, declared, policy = usual }: Case) {
  const problem = await checkStream(fixture(file), { filename, declared: declared ?? null, policy });
  assert(problem, 'was accepted');
  const error = toTypeError(problem, filename, policy);
  return { en: error.messageIn('en'), es: error.messageIn('es') };
}

describe('the message for a file whose content has another type', () => {
  const cases: readonly (readonly [file: string, filename: string, en: string, es: string])[] = [
    [
      'program.exe',
      'invoice.pdf',
      'invoice.pdf is not a PDF: it looks like a Windows program. Do not open it: it may be harmful.',
      'invoice.pdf no es un PDF: parece un programa de Windows. No lo abras: puede ser dañino.',
    ],
    [
      'poi-encrypted.docx.cfb',
      'acta.docx',
      'The document is protected with a password. Save it without the password and upload it again.',
      'El documento está protegido con contraseña. Guárdalo sin contraseña y vuelve a subirlo.',
    ],
    [
      'control-bytes.bin',
      'a.pdf',
      'The file is damaged or not really a PDF.',
      'El archivo está dañado o en realidad no es un PDF.',
    ],
    [
      'truncated.zip',
      'a.zip',
      'The file is damaged or not really a ZIP archive.',
      'El archivo está dañado o en realidad no es un archivo ZIP.',
    ],
    [
      'word-truncated.doc.bin',
      'a.doc',
      'The file is damaged or not really a DOC document.',
      'El archivo está dañado o en realidad no es un documento DOC.',
    ],
    [
      'picture.png',
      'photo.jpg',
      'photo.jpg is not a JPEG picture: it looks like a PNG picture. Rename it so that it ends in .png.',
      'photo.jpg no es una imagen JPEG: parece una imagen PNG. Cambia el nombre del archivo para que termine en .png.',
    ],
    [
      'document.docx',
      'acta.doc',
      'acta.doc is not a DOC document: it looks like a Word document (DOCX). Rename it so that it ends in .docx.',
      'acta.doc no es un documento DOC: parece un documento de Word (DOCX). Cambia el nombre del archivo para que termine en .docx.',
    ],
    [
      'self-extracting.exe',
      'a.zip',
      'a.zip is not a ZIP archive: it looks like a program, such as a self-extracting archive. Pack the files into a single ZIP.',
      'a.zip no es un archivo ZIP: parece un programa, como un archivo autoextraíble. Comprime los archivos en un solo ZIP.',
    ],
    [
      'rf64.wav',
      'a.wav',
      'a.wav is not a WAV recording: it looks like an RF64 recording. Save or export it as MP3 or WAV and upload that.',
      'a.wav no es una grabación WAV: parece una grabación RF64. Guarda o exporta el archivo como MP3 o WAV y súbelo de nuevo.',
    ],
  ];
  for (const [file, filename, en, es] of cases) {
    it(`is true of ${file} as ${filename}`, async () => {
      assert.deepEqual(await say({ file, filename }), { en, es });
    });
  }

  it('names what Office leaves beside a document, and what is a document only by its name', async () => {
    for (const [file, filename, kind] of [
      ['owner-file.docx.bin', '~$acta.docx', /temporary file that Office keeps.*"~\$"\.$/],
      ['control-bytes.bin', '~$acta.docx', /temporary file that Office keeps/],
      ['document.rtf', 'acta.doc', /an RTF document/],
      ['page.html', 'acta.doc', /a web page \(HTML\)/],
      ['web-archive.mht', 'acta.doc', /a saved web page \(MHT\)/],
      ['word-2003.xml', 'acta.doc', /a Word document saved as XML/],
      ['split-last.zip', 'a.zip', /a part of a split ZIP archive/],
      ['rifx.wav', 'a.wav', /a RIFX recording/],
      ['sheet.xls', 'a.doc', /an Excel spreadsheet/],
    ] as const) {
      assert.match((await say({ file, filename })).en, kind, file);
    }
  });

  it('says nothing of the declared type to people who declared none, nor of bytes, codes or MIME types', async () => {
    for (const [file, types] of Object.entries(ACCEPTED_AS)) {
      for (const extension of DEFAULT_ALLOWED) {
        const filename = `file.${extension}`;
        if (types.includes(extension === 'jpeg' ? 'jpg' : extension === 'mpg' ? 'mpeg' : extension)) continue;
        const { en, es } = await say({ file, filename });
        assert.doesNotMatch(
          en,
          /declared|disagree|browser|\bbytes\b|application\/|[{}]|null|undefined/,
          file,
        );
        assert.match(en, /(?:is not|not really|protected) /, file);
        assert.match(es, /(?:no es|protegido) /, file);
      }
    }
  });
});

describe('the message for a file of which only the declared type differs', () => {
  it('says what the browser reports', async () => {
    const file = 'picture.png';
    const { en, es } = await say({ file, filename: 'a.png', declared: 'image/jpeg; q=1' });
    assert.match(
      en,
      /^Your browser reports this file as a JPEG picture, but its name says it is a PNG picture\./,
    );
    assert.match(
      es,
      /^Tu navegador indica que este archivo es una imagen JPEG, pero por su nombre es una imagen PNG\./,
    );
    const unknown = await say({ file, filename: 'a.png', declared: 'font/x-nobody' });
    assert.match(unknown.en, /^Your browser reports this file as "font\/x-nobody", /);
  });

  it('is not for files whose content is another one', async () => {
    const { en } = await say({
      file: 'program.exe',
      filename: 'a.pdf',
      declared: 'application/x-msdownload',
    });
    assert.match(en, /^a\.pdf is not a PDF: it looks like a Windows program\./);
  });
});

describe('the message for a file whose extension is not accepted', () => {
  const accepted = ' Accepted: JPG, JPEG, PNG, MP4, MPEG, MPG, ZIP, RAR, PDF, DOC, DOCX, TXT, MP3, WAV.';

  for (const [filename, kind, advice] of [
    ['IMG_0001.HEIC', 'an iPhone photo', 'Save it as JPG, or choose "Most Compatible"'],
    ['clip.mov', 'a QuickTime video', 'Save or export it as MP4'],
    ['note.m4a', 'an M4A recording', 'Save or export it as MP3 or WAV'],
    ['note.ogg', 'an OGG recording', 'Save or export it as MP3 or WAV'],
    ['a.webp', 'a WEBP picture', 'Save or export it as JPG or PNG'],
    ['a.gif', 'a GIF picture', 'Save or export it as PNG or MP4'],
    ['a.xlsx', 'an Excel spreadsheet', 'Save it as PDF, or pack it into a ZIP'],
    ['a.pptx', 'a PowerPoint presentation', 'Save it as PDF, or pack it into a ZIP'],
    ['a.svg', 'a drawing', 'Save or export it as PNG or PDF'],
    ['a.html', 'a web page', 'Save or export it as PDF'],
    ['setup.exe', 'a Windows program', 'For safety, send a link'],
    ['a.7z', 'a 7z archive', 'Pack the files into a single ZIP'],
  ] as const) {
    it(`says what ${filename} is, what to do, and what is accepted`, async () => {
      const { en, es } = await say({ filename });
      assert(en.startsWith(`${filename} looks like ${kind}`), en);
      assert(en.includes(`which is not accepted. ${advice}`) && en.endsWith(accepted), en);
      assert(es.startsWith(`${filename} parece un`) && es.includes(' Se aceptan: JPG, '), es);
    });
  }

  for (const [filename, kind, ending, instead] of [
    ['a.csv', 'a table (CSV)', '.csv', '.txt'],
    ['a.jfif', 'a JPEG picture', '.jfif', '.jpg'],
    ['a.log', 'a text file', '.log', '.txt'],
    ['a.wave', 'a WAV recording', '.wave', '.wav'],
    ['a.m4v', 'an M4V video', '.m4v', '.mp4'],
  ] as const) {
    it(`does not say of ${filename} that its kind is not accepted, when only its name is not`, async () => {
      const { en, es } = await say({ filename });
      assert.equal(
        en,
        `${filename} looks like ${kind}, but names that end in ${ending} are not accepted. ` +
          `Rename it so that it ends in ${instead}.${accepted}`,
      );
      assert(es.includes(`, pero no se aceptan nombres que terminan en ${ending}. Cambia el nombre`), es);
    });
  }

  it('says that a name has no extension', async () => {
    assert.deepEqual(await say({ filename: 'README', policy: createTypePolicy(['pdf', 'txt']) }), {
      en: 'The file name has no extension such as .pdf: rename the file. Accepted: PDF, TXT.',
      es: 'El nombre del archivo no termina en una extensión como .pdf: cambia el nombre. Se aceptan: PDF, TXT.',
    });
  });

  it('names an unknown extension', async () => {
    const { en } = await say({ filename: 'a.xyz', policy: createTypePolicy(['pdf']) });
    assert.equal(en, '.xyz files are not accepted. Accepted: PDF.');
  });

  it('advises only what is accepted', async () => {
    const policy = createTypePolicy(['png']);
    for (const filename of ['a.xlsx', 'a.7z', 'a.mov', 'a.csv', 'a.docx', 'a.heic']) {
      assert.match(
        (await say({ filename, policy })).en,
        /, which is not accepted\. Accepted: PNG\.$/,
        filename,
      );
    }
    assert.match(
      (await say({ filename: 'a.webp', policy })).en,
      /Save or export it as PNG and upload that\./,
    );
    const zipOnly = createTypePolicy(['zip']);
    assert.match(
      (await say({ filename: 'a.xlsx', policy: zipOnly })).en,
      /Pack the files into a single ZIP\./,
    );
  });

  it('shortens a long name, and keeps its end', async () => {
    const { en } = await say({ filename: `${'ñ'.repeat(120)}.xlsx` });
    assert.match(en, /^ñ{87}…ñ{7}\.xlsx looks like an Excel spreadsheet/);
  });
});

describe('kinds', () => {
  it('are found by MIME types in any case, with parameters', () => {
    assert.equal(
      kindOfMimeType('Audio/OGG; codecs=opus')?.name.es,
      'una grabación OGG (como los audios de WhatsApp)',
    );
    assert.equal(kindOfMimeType('constructor'), null);
    assert.equal(kindOfExtension('constructor'), null);
  });
});
