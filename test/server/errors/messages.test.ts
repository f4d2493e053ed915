import assert from 'node:assert/strict';
import { ERROR_CODES } from '../../../server/errors/codes.ts';
import {
  formatMessage,
  LANGUAGES,
  MESSAGES,
  type MessageKey,
  sizeText,
} from '../../../server/errors/messages.ts';
import { chooseLanguage } from '../../../server/errors/response.ts';

const KEYS = Object.keys(MESSAGES) as MessageKey[];

function slotsOf(sentence: string): string[] {
  return [...new Set(sentence.match(/\{\w+\}/g))].sort();
}

describe('error messages', () => {
  it('exist for every code, and every sentence belongs to a code', () => {
    for (const code of Object.keys(ERROR_CODES)) assert(code in MESSAGES, code);
    for (const key of KEYS) assert((key.split('.')[0] ?? '') in ERROR_CODES, key);
  });

  for (const key of KEYS) {
    it(`${key} says the same in both languages and fills every place`, () => {
      const { en, es } = MESSAGES[key];
      assert.deepEqual(slotsOf(en), slotsOf(es));
      assert.notEqual(en, es);
      const params = Object.fromEntries(
        slotsOf(en).map((place) => [place.slice(1, -1), place === '{advice}' ? 'X.' : 'x']),
      );
      for (const language of LANGUAGES) {
        const sentence = formatMessage(key, language, params);
        assert.doesNotMatch(sentence, /[{}]/);
        assert.match(sentence, /^\S.*[.)]$/);
      }
    });
  }

  it('take values that are texts themselves in their language', () => {
    const limit = { en: 'five', es: 'cinco' };
    assert.equal(formatMessage('BODY_TOO_LARGE', 'es', { limit }), 'El cuerpo de la solicitud supera cinco.');
  });

  it('show sizes as file managers do', () => {
    const shown = [1, 1023, 1024, 1536, 1024 * 1024, 1.25 * 1024 * 1024, 5_242_880, 104_857_600].map(
      sizeText,
    );
    assert.deepEqual(
      shown.map(({ en }) => en),
      ['1 bytes', '1023 bytes', '1 KB', '1.5 KB', '1 MB', '1.3 MB', '5 MB', '100 MB'],
    );
    assert.equal(sizeText(1.5 * 1024 * 1024).es, '1,5 MB');
  });

  it('take values as they are, whatever signs they hold', () => {
    assert.equal(
      formatMessage('MISSING_FIELD', 'en', { field: '$& {field} $1' }),
      'The field "$& {field} $1" is required.',
    );
  });
});

describe('the language of a message', () => {
  const choices: readonly (readonly [string | undefined, string])[] = [
    [undefined, 'en'],
    ['', 'en'],
    ['*', 'en'],
    ['es', 'es'],
    ['es-MX,es;q=0.9,en;q=0.8', 'es'],
    ['ES-ar', 'es'],
    ['en-US,en;q=0.9,es;q=0.8', 'en'],
    ['de,fr;q=0.9', 'en'],
    ['de, es;q=0.1', 'es'],
    ['es;q=0, en', 'en'],
    ['es;q=0', 'en'],
    ['es;q=nonsense', 'en'],
    [',,,;;;=', 'en'],
    ['../../etc/passwd', 'en'],
  ];
  for (const [header, language] of choices) {
    it(`is ${language} for ${JSON.stringify(header)}`, () => {
      assert.equal(chooseLanguage(header), language);
    });
  }
});
