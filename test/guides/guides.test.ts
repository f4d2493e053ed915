import assert from 'node:assert/strict';
import { basename } from 'node:path';
import { read } from '../documents/documents.ts';
import { GUIDES, guideBlocks, guideFiles, guideNames } from './guide-files.ts';

const CODE = new Set(['js', 'jsx', 'ts', 'tsx', 'vue', 'svelte', 'html']);
/** Files that no other file of their guide imports: the tests begin with them, or `dev-servers.test.ts` runs them. */
const ENTRIES = new Set([
  ...['main.js', 'main.ts', 'main.tsx', 'options-only.ts', 'svelte-main.ts', 'vanilla.ts'],
  ...['src/App.tsx', 'app/page.tsx'],
  ...['index.html', 'page.html', 'vanilla.html', 'vite.config.ts', 'next.config.ts'],
]);

describe('the guides', () => {
  for (const [page, folder] of [
    [`${GUIDES}README.md`, ''],
    ['README.md', 'docs/guides/'],
    ['docs/inicio-rapido.md', 'guides/'],
  ] as const) {
    it(`are all named in ${page}`, () => {
      const links = guideNames().map((name) => `](${folder}${name}.md)`);
      assert.deepEqual(
        links.filter((link) => !read(page).includes(link)),
        [],
      );
    });
  }

  for (const guide of guideNames()) {
    it(`have only code that runs: ${guide}`, () => {
      for (const { language, file, text } of guideBlocks(guide)) {
        if (CODE.has(language)) assert(file !== null, `without a name, so in no page:\n${text}`);
      }
      const files = guideFiles(guide);
      for (const file of files.keys()) {
        const name = basename(file).replace(/\.tsx?$/, '');
        const isImported = [...files.values()].some((text) => text.includes(`'./${name}`));
        assert(isImported || ENTRIES.has(file), `${file} belongs to no page`);
      }
    });

    it(`begin with the install line: ${guide}`, () => {
      const [first] = guideBlocks(guide);
      if (guide === 'fetch') return; // it needs no package
      assert.match(first?.text ?? '', /^npm install leadway-bff-client\b/m);
    });

    it(`say how errors look and what can go wrong: ${guide}`, () => {
      const headings = [...read(`${GUIDES}${guide}.md`).matchAll(/^## (.*)$/gm)].map(
        ([, heading]) => heading,
      );
      assert.deepEqual(headings.slice(-2), ['Errors', 'What can go wrong']);
    });
  }
});
