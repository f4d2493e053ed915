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
  'with empty lines before it': `\r\n\r\n${field('a', '1')}${CLOSING}`,
  'with text before it': `x\r\n${field('a', '1')}${CLOSING}`,
  'with dashes before it': `-x\r\n${field('a', '1')}${CLOSING}`,
  'with another boundary': (field('a', '1') + CLOSING).replaceAll(B, 'Xyy'),
  'with a boundary that only begins like the right one': (field('a', '1') + CLOSING).replaceAll(B, `${B}z`),
  'with text after it': `${field('a', '1')}${CLOSING}x\r\n--${B}\r\n`,
  'with empty lines after it': `${field('a', '1')}${CLOSING}\r\n\r\n`,
  'with text behind its closing boundary': `${field('a', '1')}${CLOSING.trimEnd()} x\r\n--${B.slice(1)}\r\n`,
  'with spaces behind its boundaries': (file('x') + CLOSING).replace(/(--XyZ(?:--)?)/g, '$1 \t '),
  'with a boundary behind spaces that ends it': `${field('a', '1')}--${B} --\r\n`,
  'with a line that begins with the closing boundary': `${file(`a\r\n--${B}--x\r\nb`)}${CLOSING}`,
  'with content that begins with the boundary': `${file(`--${B}x`)}${CLOSING}`,
  'with content that is the boundary': `${file(`--${B}`)}${CLOSING}`,
  'with content that begins like the boundary': `${file(`--${B.slice(0, -1)}`)}${CLOSING}`,
  'with a field that begins with the boundary': `${field('a', `--${B}--\r\n`)}${CLOSING}`,
  'with a line that begins with the boundary': `${file(`a\r\n--${B}b`)}${CLOSING}`,
  'cut in a delimiter': `${file('a')}--${B}`,
  'cut in a file': file('a').slice(0, -2),
  'cut in a head': file('a').slice(0, 30),
  'with lines that end in LF': (field('a', '1') + CLOSING).replaceAll('\r\n', '\n'),
  'with an empty line in LF before it': `\n${field('a', '1')}${CLOSING}`,
  'with part headers in LF': (field('a', '1') + CLOSING).replaceAll('\r\n', '\n').replace('\n', '\r\n'),
  'with a part header in LF': (file('x') + CLOSING).replace('\r\nContent-T', '\nContent-T'),
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
      const { events, error } = parseForm(B, [bytes(file(`x${near}x${near}`) + CLOSING)]);
      assert.equal(error, null);
      assert.equal(events[1], `content x${near}x${near}`);
    }
  });

  it('accepts what clients write around the parts', () => {
    const one = ['field a=1'];
    const expected: Record<string, string[]> = {
      'with empty lines before it': one,
      'with text after it': one,
      'with empty lines after it': one,
      'with text behind its closing boundary': one,
      'with content that begins like the boundary': [
        `file f a.bin x/y @${file('').indexOf('\r\n\r\n') + 4}`,
        'content --Xy',
      ],
    };
    for (const [what, events] of Object.entries(expected)) {
      assert.deepEqual(parseForm(B, [bytes(FORMS[what] ?? '')]), { error: null, events }, what);
    }
    const spaces = parseForm(B, [bytes(FORMS['with spaces behind its boundaries'] ?? '')]);
    assert.deepEqual([spaces.error, spaces.events.at(-1)], [null, 'content x']);
  });

  it('rejects what another parser could read in another way, and says what it is', () => {
    const expected: Record<string, string> = {
      'with text before it': 'BAD_MULTIPART preamble',
      'with dashes before it': 'BAD_MULTIPART preamble',
      'with another boundary': 'BAD_MULTIPART otherBoundary',
      'with a boundary that only begins like the right one': 'BAD_MULTIPART otherBoundary',
      'with a boundary behind spaces that ends it': 'BAD_MULTIPART boundaryInContent',
      'with a line that begins with the boundary': 'BAD_MULTIPART boundaryInContent',
      'with a line that begins with the closing boundary': 'BAD_MULTIPART boundaryInContent',
      'with content that begins with the boundary': 'BAD_MULTIPART boundaryInContent',
      'with content that is the boundary': 'BAD_MULTIPART boundaryInContent',
      'with a field that begins with the boundary': 'BAD_MULTIPART boundaryInContent',
      'cut in a delimiter': 'BAD_MULTIPART truncated',
      'cut in a file': 'BAD_MULTIPART truncated',
      'cut in a head': 'BAD_MULTIPART truncated',
      'with lines that end in LF': 'BAD_MULTIPART lineEnds',
      'with an empty line in LF before it': 'BAD_MULTIPART lineEnds',
      'with part headers in LF': 'BAD_MULTIPART lineEnds',
      'with a part header in LF': 'BAD_MULTIPART lineEnds',
      'with content behind an empty file name': 'BAD_FILENAME',
      'with a nested form': 'BAD_MULTIPART nested',
    };
    for (const [what, error] of Object.entries(expected)) {
      assert.equal(parseForm(B, [bytes(FORMS[what] ?? '')]).error, error, what);
    }
  });

  it('holds a form to its limits, each to its last unit', () => {
    const many = (count: number, part: string): string => part.repeat(count) + CLOSING;
    const cases: [string, Partial<typeof LIMITS>, string | null][] = [
      [many(3, field('a', '')), { maxFields: 3 }, null],
      [many(4, field('a', '')), { maxFields: 3 }, 'BAD_MULTIPART fields'],
      [many(3, file('x')), { maxParts: 3 }, null],
      [many(4, file('x')), { maxParts: 3 }, 'BAD_MULTIPART parts'],
      [field('abc', '') + CLOSING, { maxFieldNameBytes: 3 }, null],
      [field('abcd', '') + CLOSING, { maxFieldNameBytes: 3 }, 'BAD_MULTIPART fieldName'],
      [file('x'.repeat(5_000)) + CLOSING, { maxOverheadBytes: 200 }, null],
      [field('a', 'x'.repeat(5_000)) + CLOSING, { maxOverheadBytes: 200 }, 'BODY_TOO_LARGE'],
      ['\r\n'.repeat(50) + CLOSING, { maxOverheadBytes: 200 }, null],
      ['\r\n'.repeat(101) + CLOSING, { maxOverheadBytes: 200 }, 'BODY_TOO_LARGE'],
      [CLOSING + 'x'.repeat(190), { maxOverheadBytes: 200 }, null],
      [CLOSING + 'x'.repeat(200), { maxOverheadBytes: 200 }, 'BODY_TOO_LARGE'],
      [CLOSING.trimEnd() + 'x'.repeat(200), { maxOverheadBytes: 200 }, 'BODY_TOO_LARGE'],
      [CLOSING.trimEnd() + ' '.repeat(200), { maxOverheadBytes: 200 }, 'BODY_TOO_LARGE'],
      [CLOSING.replace('--\r', `${' '.repeat(200)}\r`), { maxOverheadBytes: 200 }, 'BODY_TOO_LARGE'],
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
    assert.equal(parseForm(B, [begin, ...endless]).error, 'BAD_MULTIPART partHeaders');
  });
});
