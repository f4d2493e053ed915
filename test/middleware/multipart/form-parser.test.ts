import assert from 'node:assert/strict';
import { inPieces, inRandomPieces, LIMITS, parseForm } from './parse-form.ts';

const B = 'XyZ';

function file(content: string, filename = 'a.bin', name = 'f'): string {
  return `--${B}\r\nContent-Disposition: form-data; name="${name}"; filename="${filename}"\r\nContent-Type: x/y\r\n\r\n${content}\r\n`;
}

function field(name: string, value: string): string {
  return `--${B}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
}

const CLOSING = `--${B}--\r\n`;
const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');

const NEAR_BOUNDARIES = [
  '\r',
  '\r\n',
  '\r\n-',
  '\r\n--',
  `\r\n--X`,
  `\r\n--Xy`,
  `--${B}`,
  `\n--${B}`,
  `\r--${B}`,
  `\r\r\n`,
];

const FORMS: Readonly<Record<string, string>> = {
  ordinary: field('a', '1') + file('content') + field('b', '') + CLOSING,
  'without a line end at its end': field('a', '1') + CLOSING.slice(0, -2),
  'with nothing in it': CLOSING,
  'with near-boundaries in its content':
    NEAR_BOUNDARIES.map((near) => file(`a${near}b${near}`)).join('') + CLOSING,
  'with near-boundaries in its fields':
    NEAR_BOUNDARIES.map((near) => field('n', `${near}${near}`)).join('') + CLOSING,
  'with empty files': file('') + file('') + file('', '') + CLOSING,
  'with all bytes in its content': file(String.fromCharCode(...Array(256).keys())) + CLOSING,
  'with a preamble': `x\r\n${field('a', '1')}${CLOSING}`,
  'with an epilogue': `${field('a', '1')}${CLOSING}x`,
  'with a blank behind the boundary': `${field('a', '1')}--${B} \r\n`,
  'with a line that begins with the boundary': `${file(`a\r\n--${B}b`)}${CLOSING}`,
  'cut in a delimiter': `${file('a')}--${B}`,
  'cut in a file': file('a').slice(0, -2),
  'cut in a head': file('a').slice(0, 30),
  'with lines that end in LF': (field('a', '1') + CLOSING).replaceAll('\r\n', '\n'),
  'with content behind an empty file name': file('x', '') + CLOSING,
  'with a nested form': file('x').replace('x/y', 'multipart/mixed') + CLOSING,
};

describe('FormParser', () => {
  for (const [what, text] of Object.entries(FORMS)) {
    it(`reads a form ${what} the same in whatever pieces it comes`, () => {
      const body = bytes(text);
      const whole = parseForm(B, [body]);
      // How much was told before an error depends on the pieces; whether there is one, and which, does not.
      const check = (pieces: Iterable<Buffer>, holdsBack: boolean): void => {
        const parsed = parseForm(B, pieces, LIMITS, holdsBack);
        assert.equal(parsed.error, whole.error);
        assert.deepEqual(parsed.events, whole.events);
      };
      for (const holdsBack of [false, true]) {
        check([body], holdsBack);
        for (const size of [1, 2, 3, 5, 7]) check(inPieces(body, size), holdsBack);
        for (let seed = 1; seed <= 20; seed++) check(inRandomPieces(body, 12, seed), holdsBack);
        for (let cut = 1; cut < body.length; cut++)
          check([body.subarray(0, cut), body.subarray(cut)], holdsBack);
      }
    });
  }

  it('tells fields and files in their order, with where each file begins', () => {
    const text = field('a', '1') + file('content') + field('b', '2') + CLOSING;
    assert.deepEqual(parseForm(B, [bytes(text)]), {
      error: null,
      events: ['field a=1', `file f a.bin x/y @${text.indexOf('content')}`, 'content content', 'field b=2'],
    });
  });

  it('leaves near-boundaries in the content', () => {
    for (const near of NEAR_BOUNDARIES) {
      const { events, error } = parseForm(B, [bytes(file(`${near}x${near}`) + CLOSING)]);
      assert.equal(error, null);
      assert.equal(events[1], `content ${near}x${near}`);
    }
  });

  it('refuses what another parser could read in another way', () => {
    const expected: Record<string, string> = {
      'with a preamble': 'BAD_MULTIPART it must begin with the boundary',
      'with an epilogue': 'BAD_MULTIPART bytes follow the closing boundary',
      'with a blank behind the boundary':
        'BAD_MULTIPART a line begins with the boundary but goes on after it',
      'with a line that begins with the boundary':
        'BAD_MULTIPART a line begins with the boundary but goes on after it',
      'cut in a delimiter': 'BAD_MULTIPART it ends before the closing boundary',
      'cut in a file': 'BAD_MULTIPART it ends before the closing boundary',
      'cut in a head': 'BAD_MULTIPART it ends before the closing boundary',
      'with lines that end in LF': 'BAD_MULTIPART a line begins with the boundary but goes on after it',
      'with content behind an empty file name': 'BAD_FILENAME',
      'with a nested form': 'BAD_MULTIPART a part is multipart itself',
    };
    for (const [what, error] of Object.entries(expected)) {
      assert.equal(parseForm(B, [bytes(FORMS[what] ?? '')]).error, error, what);
    }
  });

  it('holds a form to its limits, each to its last unit', () => {
    const many = (count: number, part: string): string => part.repeat(count) + CLOSING;
    const cases: [string, Partial<typeof LIMITS>, string | null][] = [
      [many(3, field('a', '')), { maxFields: 3 }, null],
      [many(4, field('a', '')), { maxFields: 3 }, 'BAD_MULTIPART it has too many fields'],
      [many(3, file('x')), { maxParts: 3 }, null],
      [many(4, file('x')), { maxParts: 3 }, 'BAD_MULTIPART it has too many parts'],
      [field('abc', '') + CLOSING, { maxFieldNameBytes: 3 }, null],
      [
        field('abcd', '') + CLOSING,
        { maxFieldNameBytes: 3 },
        'BAD_MULTIPART the name of a field is too long',
      ],
      [file('x'.repeat(5_000)) + CLOSING, { maxOverheadBytes: 200 }, null],
      [field('a', 'x'.repeat(5_000)) + CLOSING, { maxOverheadBytes: 200 }, 'BODY_TOO_LARGE'],
    ];
    for (const [text, limits, error] of cases) {
      assert.equal(parseForm(B, inPieces(bytes(text), 50), { ...LIMITS, ...limits }).error, error);
    }
  });

  it('tells that a field is too long and keeps little of it', () => {
    const limits = { ...LIMITS, maxFieldBytes: 10 };
    for (const size of [1, 7, 1_000]) {
      const text = field('a', 'x'.repeat(10)) + field('b', 'x'.repeat(11)) + CLOSING;
      assert.deepEqual(parseForm(B, inPieces(bytes(text), size), limits).events, [
        'field a=xxxxxxxxxx',
        'field b=too long',
      ]);
    }
  });

  it('gives up on a head without end as soon as it is too long', () => {
    const begin = bytes(`--${B}\r\nX-A: `);
    const endless = Array.from({ length: 20 }, () => Buffer.alloc(1_000, 0x78));
    assert.equal(parseForm(B, [begin, ...endless]).error, 'BAD_MULTIPART the headers of a part are too long');
  });
});
