import assert from 'node:assert/strict';
import { AppError } from '../../../server/errors/app-error.ts';
import { cleanFileName, createNameRegister } from '../../../server/uploads/filename.ts';

const FAULTS = new Set(['', 'direction', 'encoding', 'stream', 'tooLong']);

const isFault = (variant: string) => (error: unknown) =>
  error instanceof AppError &&
  error.code === 'BAD_FILENAME' &&
  error.options.message === (variant === '' ? undefined : `BAD_FILENAME.${variant}`);

describe('cleanFileName', () => {
  /** Given name, then what it becomes, or the variant of `BAD_FILENAME` it is rejected with. */
  const CASES: readonly (readonly [string, string])[] = [
    ['a.png', 'a.png'],
    ['cafe\u0301.png', 'café.png'],
    ['/etc/passwd/a.png', 'a.png'],
    ['C:\\Users\\me\\a.png', 'a.png'],
    ['a\u0000b\u001f\u007f\u0085.png', 'ab.png'],
    ['\u00a0 a.png \t', 'a.png'],
    ['a.png. . .', 'a.png'],
    ['.gitignore', '.gitignore'],
    ['a/../b.png', 'b.png'],
    ['👩‍👩‍👧.png', '👩‍👩‍👧.png'],
    ['', ''],
    ['.', ''],
    ['..', ''],
    ['   ', ''],
    ['a/', ''],
    ['\u202e.png', 'direction'],
    ['a\u202ab.png', 'direction'],
    ['a\u2067b\u2069.png', 'direction'],
    ['a\u200eb\u200f\u061c.png', 'ab.png'],
    ['e\u200e\u0301.png', 'é.png'],
    ['a.png\u200f. ', 'a.png'],
    ['\u200f', ''],
    ['a\ufffdb.png', 'encoding'],
    ['a\ud800.png', 'encoding'],
    ['a.exe:.pdf', 'stream'],
    ['a.exe . :b.pdf', 'stream'],
    ['a.e\u0000xe:.pdf', 'stream'],
    ['a.e\u200exe:.pdf', 'stream'],
    ['b.txt:a.exe', 'stream'],
    ['a.pdf::$DATA', 'stream'],
    ['a.7z:b.pdf', 'stream'],
    ['a.3gp:b.pdf', 'stream'],
    ['Re: Fwd: presupuesto.pdf', 'Re: Fwd: presupuesto.pdf'],
    ['C:a.png', 'C:a.png'],
    ['2026-01-31 10:30:00.png', '2026-01-31 10:30:00.png'],
    ['v1.2: notes.txt', 'v1.2: notes.txt'],
    // To Windows a device; to everyone who gets the file by its URL, a name like any other.
    ['CON.txt', 'CON.txt'],
    [`${'x'.repeat(251)}.png`, `${'x'.repeat(251)}.png`],
    [`${'x'.repeat(252)}.png`, 'tooLong'],
    ['x'.repeat(1_025), 'tooLong'],
    // 252 bytes as it is written, 255 and 256 when composed the other way round.
    [`${'e\u0301'.repeat(85)}`, 'é'.repeat(85)],
  ];
  for (const [given, expected] of CASES) {
    it(`makes ${JSON.stringify(expected).slice(0, 40)} of ${JSON.stringify(given).slice(0, 40)}`, () => {
      if (FAULTS.has(expected)) assert.throws(() => cleanFileName(given), isFault(expected));
      else assert.equal(cleanFileName(given), expected);
    });
  }
});

describe('createNameRegister', () => {
  it('numbers what comes again, and passes over numbers that are taken', () => {
    const register = createNameRegister();
    const given = ['a.png', 'a (2).png', 'a.png', 'a.png', 'b', 'b', '.x', '.x', 'a.tar.gz', 'a.tar.gz'];
    assert.deepEqual(given.map(register), [
      'a.png',
      'a (2).png',
      'a (3).png',
      'a (4).png',
      'b',
      'b (2)',
      '.x',
      '.x (2)',
      'a.tar.gz',
      'a.tar (2).gz',
    ]);
  });

  it('keeps numbered names within 255 bytes and whole characters', () => {
    const register = createNameRegister();
    const longest = `${'😀'.repeat(62)}abc.png`;
    assert.equal(Buffer.byteLength(longest), 255);
    register(longest);
    const second = register(longest);
    assert.equal(second, `${'😀'.repeat(61)} (2).png`);
    assert(second.isWellFormed() && Buffer.byteLength(second) <= 255);
  });
});
