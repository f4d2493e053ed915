import assert from 'node:assert/strict';
import { isThere, quotedIn, read } from './documents.ts';

const page = read('ARCHITECTURE.md');
const invariants =
  page
    .split('## Invariants')[1]
    ?.split(/^\d+\. /m)
    .slice(1) ?? [];

describe('ARCHITECTURE.md', () => {
  it('numbers its invariants and names a test for each', () => {
    assert(invariants.length >= 10);
    for (const invariant of invariants) {
      assert(
        quotedIn(invariant).some((name) => name.startsWith('test/')),
        invariant,
      );
    }
  });

  it('names only tests that exist, by their titles', () => {
    let titles = 0;
    for (const invariant of invariants) {
      const [, ...parts] = invariant.split(/(?=`test\/)/);
      for (const part of parts) {
        const [file = '', title] = quotedIn(part);
        assert(isThere(file), file);
        if (!file.endsWith('.test.ts')) continue;
        assert(title !== undefined, `${file} is named without a title`);
        const source = read(file).replaceAll("\\'", "'");
        assert(
          ["'", '`', '"'].some((quote) => source.includes(`(${quote}${title}${quote}`)),
          `${file} has no "${title}"`,
        );
        titles += 1;
      }
    }
    assert(titles >= invariants.length - 2);
  });

  it('names only files and folders that exist', () => {
    const paths = quotedIn(page).filter((name) => /^[a-z][\w-]*\/[\w./-]*$/.test(name));
    assert(paths.length > 15);
    for (const path of paths) assert(isThere(path) || path.startsWith('dist/'), path);
  });
});
