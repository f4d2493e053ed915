import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const page = read('docs/security.md');
const claims = page
  .slice(0, page.indexOf('## What is not defended'))
  .split('\n')
  .filter((line) => line.startsWith('- '));

/** The tests that a claim names: a file, and titles in it. */
function testsOf(claim: string): { file: string; titles: string[] }[] {
  const pattern = /`(test\/[\w/.-]+\.test\.ts)`((?:[ ,]*“[^”]+”)*)/g;
  return [...claim.matchAll(pattern)].map(([, file = '', quoted = '']) => ({
    file,
    titles: [...quoted.matchAll(/“([^”]+)”/g)].map(([, title = '']) => title),
  }));
}

describe('docs/security.md', () => {
  it('names a test for every claim', () => {
    assert(claims.length > 25);
    for (const claim of claims) assert(testsOf(claim).length > 0, claim);
  });

  it('names only tests that exist', () => {
    for (const { file, titles } of claims.flatMap(testsOf)) {
      assert(existsSync(new URL(`../../${file}`, import.meta.url)), file);
      const text = read(file);
      for (const title of titles) assert(text.includes(title), `${file}: ${title}`);
    }
  });

  it('quotes no title outside of its file', () => {
    const named = claims.flatMap(testsOf).flatMap(({ titles }) => titles);
    const quoted = claims.flatMap((claim) => [...claim.matchAll(/“([^”]+)”/g)]);
    assert.equal(named.length, quoted.length);
  });
});

describe('SECURITY.md', () => {
  it('points to private reports and to what is claimed, and to no address by mail', () => {
    const policy = read('SECURITY.md');
    assert.match(policy, /private\s+vulnerability reporting/);
    assert.match(policy, /\]\(docs\/security\.md\)/);
    assert.doesNotMatch(policy, /[\w.]+@[\w.]+|mailto:/);
  });
});
