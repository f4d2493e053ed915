import assert from 'node:assert/strict';
import { LOCAL_ERROR_CODES, SERVER_ERROR_CODES } from '../../client/error-codes.ts';
import { createErrorFactory } from '../../client/messages.ts';
import { UploadError } from '../../client/upload-error.ts';
import { ERROR_CODES } from '../../server/errors/codes.ts';

describe('the messages of the client', () => {
  it('exist in both languages, without holes', () => {
    const [english, spanish] = [
      createErrorFactory({ language: 'en' }),
      createErrorFactory({ language: 'es' }),
    ];
    for (const code of [...SERVER_ERROR_CODES, ...LOCAL_ERROR_CODES]) {
      if (code === 'ABORTED') continue; // the code that aborts knows why
      const facts = { details: { limit: 5_242_880 } };
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

  it('have the status of the server for the same error', () => {
    const { toError } = createErrorFactory({});
    for (const code of ['NO_FILE', 'EMPTY_FILE', 'BAD_FILENAME', 'FILE_TOO_LARGE'] as const) {
      assert.equal(toError(code).status, ERROR_CODES[code].status, code);
    }
    for (const code of ['TYPE_NOT_ALLOWED', 'BODY_TOO_LARGE', 'STORAGE_REFUSED'] as const) {
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

  it('say why an upload waits, in both languages', () => {
    for (const code of ['OFFLINE', 'NETWORK', 'RATE_LIMITED', 'DRAINING', 'UPSTREAM_ERROR'] as const) {
      const [en, es] = (['en', 'es'] as const).map((language) =>
        createErrorFactory({ language }).explainWait(code),
      );
      assert.match(en ?? '', /continue|tried again/, code);
      assert.match(es ?? '', /continuará|de nuevo/, code);
    }
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
