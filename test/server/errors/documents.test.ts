import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { ERROR_CODES, type ErrorCode } from '../../../server/errors/codes.ts';
import { MESSAGES } from '../../../server/errors/messages.ts';
import type { ErrorBody } from '../../../server/errors/response.ts';

const PAGE = readFileSync(new URL('../../../docs/errors.md', import.meta.url), 'utf8');
const CODES = Object.keys(ERROR_CODES) as ErrorCode[];

/** The text under each heading of a code. */
const sections = new Map(
  PAGE.split(/^## /m)
    .slice(1)
    .map((section) => {
      const end = section.indexOf('\n');
      return [section.slice(0, end), section.slice(end)] as const;
    }),
);

/** Whether `message` is one of the English sentences of `code` with its places filled. */
function isSentenceOf(code: ErrorCode, message: string): boolean {
  return Object.entries(MESSAGES)
    .filter(([key]) => key === code || key.startsWith(`${code}.`))
    .some(([, { en }]) => {
      const parts = en.split(/\{\w+\}/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
      return new RegExp(`^${parts.join('.+')}$`).test(message);
    });
}

describe('docs/errors.md', () => {
  it('names every reason of BAD_MULTIPART', () => {
    for (const key of Object.keys(MESSAGES)) {
      const reason = /^BAD_MULTIPART\.(.*)/.exec(key)?.[1];
      if (reason !== undefined) assert(sections.get('BAD_MULTIPART')?.includes(`\`${reason}\``), reason);
    }
  });

  it('has one heading for every code and none for anything else', () => {
    assert.deepEqual([...sections.keys()], CODES);
    assert.equal(PAGE.match(/^## /gm)?.length, CODES.length);
  });

  for (const code of CODES) {
    const { status, retryable } = ERROR_CODES[code];

    it(`tells ${code} as the program does`, () => {
      const section = sections.get(code) ?? '';
      assert.match(
        section,
        new RegExp(`^\\s+Status ${status}\\b.*, ${retryable ? '' : 'not '}retryable\\. \\w`),
      );
      assert.match(section, /^- \*\*Program:\*\* \S/m);
      assert.match(section, /^- \*\*Person:\*\* \S/m);
      const row = new RegExp(
        `^\\| \\[\`${code}\`\\]\\(#${code.toLowerCase()}\\) \\| ${status}\\b.*\\| ${retryable ? 'yes' : 'no'} \\|$`,
        'm',
      );
      assert.match(PAGE, row);
    });

    it(`shows an example of ${code} that could be sent`, () => {
      const text = /```json\n(.*?)\n```/s.exec(sections.get(code) ?? '')?.[1];
      assert(text !== undefined);
      const example = JSON.parse(text) as ErrorBody;
      assert.equal(example.code, code);
      assert.equal(example.status, status);
      assert.equal(example.retryable, retryable);
      assert(isSentenceOf(code, example.message), example.message);
      assert(example.requestId.length > 0);
    });
  }
});
