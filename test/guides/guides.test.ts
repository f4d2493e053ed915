import assert from 'node:assert/strict';
import { read } from '../documents/documents.ts';
import { GUIDES, guideBlocks, guideFiles, guideNames } from './guide-files.ts';

const CODE = new Set(['js', 'jsx', 'ts', 'tsx', 'vue', 'html']);

describe('the guides', () => {
  it('are all in their index', () => {
    const linked = [...read(`${GUIDES}README.md`).matchAll(/\]\((\w[\w-]*)\.md\)/g)].map(([, name]) => name);
    assert.deepEqual(linked.toSorted(), guideNames().toSorted());
  });

  for (const guide of guideNames()) {
    it(`have only code that runs: ${guide}`, () => {
      for (const { language, file, text } of guideBlocks(guide)) {
        if (CODE.has(language)) assert(file !== null, `without a name, so in no page:\n${text}`);
      }
      const files = guideFiles(guide);
      assert(files.has('index.html'));
      const entries = ['main.js', 'main.tsx', 'options-only.js', 'index.html', 'page.html', 'uploads.js'];
      for (const file of files.keys()) {
        const isImported = [...files.values()].some((text) => text.includes(`'./${file}'`));
        assert(isImported || entries.includes(file), `${file} belongs to no page`);
      }
    });

    it(`begin with the install line: ${guide}`, () => {
      const [first] = guideBlocks(guide);
      if (guide === 'fetch') return; // it needs no package
      assert.match(first?.text ?? '', /^npm install leadway-bff-client\b/);
    });

    it(`say how errors look and what can go wrong: ${guide}`, () => {
      const headings = [...read(`${GUIDES}${guide}.md`).matchAll(/^## (.*)$/gm)].map(
        ([, heading]) => heading,
      );
      assert.deepEqual(headings.slice(-2), ['Errors', 'What can go wrong']);
    });
  }
});
