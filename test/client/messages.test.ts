import assert from 'node:assert/strict';
import { LOCAL_ERROR_CODES, SERVER_ERROR_CODES } from '../../client/error-codes.ts';
import { createErrorFactory } from '../../client/messages.ts';
import { typeMessage } from '../../client/type-message.ts';
import { UploadError } from '../../client/upload-error.ts';
import { ERROR_CODES } from '../../server/errors/codes.ts';

describe('the messages of the client', () => {
  it('exist in both languages, without holes', () => {
    const [english, spanish] = [
      createErrorFactory({ language: 'en' }),
      createErrorFactory({ language: 'es' }),
    ];
    for (const code of [...SERVER_ERROR_CODES, ...LOCAL_ERROR_CODES]) {
      if (code === 'ABORTED') continue; // whoever aborts says why
      const facts = { details: { limit: 5_242_880, max: 5 } };
      const [en, es] = [english.toError(code, facts), spanish.toError(code, facts)];
      assert.notEqual(en.message, es.message, code);
      assert(!/[{}]|undefined/.test(en.message + es.message), `${en.message} ${es.message}`);
    }
    assert.equal(spanish.language, 'es');
    assert.equal(
      spanish.toError('FILE_TOO_LARGE', { details: { limit: 5_242_880 } }).message,
      'El archivo supera 5 MB. Envía uno más pequeño o un enlace.',
    );
  });

  it('name the kind of a rejected file and an accepted alternative', () => {
    const all = ['jpg', 'png', 'mp4', 'zip', 'pdf', 'docx', 'txt', 'mp3'];
    const accepted = 'Accepted: JPG, PNG, MP4, ZIP, PDF, DOCX, TXT, MP3.';
    const said: Readonly<Record<string, string>> = {
      heic: 'iPhone photos (HEIC) are not accepted. Save it as JPG, or choose “Most Compatible” in the camera settings of the iPhone.',
      mov: 'MOV videos are not accepted. Save it as MP4.',
      m4a: 'M4A recordings are not accepted. Save it as MP3.',
      ogg: 'OGG recordings are not accepted. Save it as MP3.',
      webp: 'WEBP pictures are not accepted. Save it as JPG or PNG.',
      gif: 'GIF pictures are not accepted. Save it as JPG or PNG.',
      svg: 'Drawings (SVG) are not accepted. Save it as PNG or PDF.',
      xlsx: 'Spreadsheets (XLSX) are not accepted. Save it as PDF.',
      pptx: 'Presentations (PPTX) are not accepted. Save it as PDF.',
      html: 'Web pages (HTML) are not accepted. Save it as PDF.',
      csv: 'CSV files are not accepted. Rename the file so that it ends in .txt.',
      '7z': '7Z archives are not accepted. Pack the files into a ZIP.',
      exe: 'Programs (EXE) are not accepted. For safety, send a link instead.',
      xyz: '.xyz files are not accepted.',
      '': 'The file name has no extension such as .jpg: rename the file.',
    };
    for (const [extension, words] of Object.entries(said)) {
      assert.equal(typeMessage(extension, all, false), `${words} ${accepted}`);
    }
    assert.equal(
      typeMessage('gif', all.slice(1), true),
      'No se aceptan imágenes GIF. Guarda el archivo como PNG. Se aceptan: PNG, MP4, ZIP, PDF, DOCX, TXT, MP3.',
    );
    assert.equal(typeMessage('mov', ['pdf'], false), 'MOV videos are not accepted. Accepted: PDF.');
  });

  it('have the status of the server for the same error', () => {
    const { toError } = createErrorFactory({});
    for (const code of [
      'NO_FILE',
      'TOO_MANY_FILES',
      'EMPTY_FILE',
      'BAD_FILENAME',
      'FILE_TOO_LARGE',
    ] as const) {
      assert.equal(toError(code).status, ERROR_CODES[code].status, code);
    }
    for (const code of ['TYPE_NOT_ALLOWED', 'TYPE_MISMATCH', 'STORAGE_REFUSED'] as const) {
      assert.equal(toError(code).status, ERROR_CODES[code].status, code);
    }
  });

  it('are replaced by those of the options, for errors of the server too', () => {
    const messages = { FILE_TOO_LARGE: 'Max {limit} on {channel}', BUSY: 'Later' };
    const { toError } = createErrorFactory({ language: 'en', messages });
    const details = { limit: 1_572_864, channel: 'SMS' };
    assert.equal(toError('FILE_TOO_LARGE', { details }, 'The file …').message, 'Max 1.5 MB on SMS');
    assert.equal(toError('BUSY', {}, 'Too many uploads').message, 'Later');
  });

  it('leave messages of the server unchanged', () => {
    const { toError } = createErrorFactory({});
    assert.equal(toError('UPSTREAM_REJECTED', {}, 'bad {thing}').message, 'bad {thing}');
  });

  it('follow the language of the browser', () => {
    assert.equal(createErrorFactory({}).language, navigator.language.startsWith('es') ? 'es' : 'en');
  });

  it('are on errors with name, cause and status', () => {
    const cause = new Error('lost');
    const error = createErrorFactory({ language: 'en' }).toError('NETWORK', { retryable: true, cause });
    assert(error instanceof UploadError && error instanceof Error);
    assert.equal(error.name, 'UploadError');
    assert.equal(error.cause, cause);
    assert.equal(error.retryable, true);
    assert.equal(error.status, 0);
  });
});
