import assert from 'node:assert/strict';
import { ERROR_CODES } from '../../../server/errors/error-codes.ts';
import { chooseLanguage } from '../../../server/errors/language.ts';
import { formatMessage, LANGUAGES, MESSAGES, type MessageKey } from '../../../server/errors/messages.ts';

const KEYS = Object.keys(MESSAGES) as MessageKey[];

function placesOf(sentence: string): string[] {
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
      assert.deepEqual(placesOf(en), placesOf(es));
      assert.notEqual(en, es);
      const params = Object.fromEntries(placesOf(en).map((place) => [place.slice(1, -1), 'x']));
      for (const language of LANGUAGES) {
        const sentence = formatMessage(key, language, params);
        assert.doesNotMatch(sentence, /[{}]/);
        assert.match(sentence, /^\S.*[.)]$/);
      }
    });
  }

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
