import assert from 'node:assert/strict';
import { FAULTS, isFaultName } from '../../sandbox/index.ts';
import { ALL_NAMES } from '../../server/config/settings.ts';
import { FILE_TYPES } from '../../server/file-types/file-types.ts';
import { documents, namedRows, quotedIn, read } from './documents.ts';

describe('docs/sandbox.md', () => {
  const page = read('docs/sandbox.md');

  it('has the table of faults, word for word', () => {
    const rows = namedRows(page.slice(page.indexOf('## Faults')));
    const told = Object.fromEntries(
      rows.map(([name = '', effect = '']) => [name.replaceAll('`', ''), effect]),
    );
    assert.deepEqual(told, FAULTS);
  });

  it('selects faults that exist', () => {
    const conversations = [...page.matchAll(/\bfault-([\w-]+?)(?:_\w+)?(?=[` ])/g)].map(
      ([, name = '']) => name,
    );
    assert(conversations.length >= 3);
    for (const name of conversations) assert(isFaultName(name), name);
  });
});

describe('docs/types.md', () => {
  it('has the table of types: extensions and what may be declared, in their order', () => {
    const rows = namedRows(read('docs/types.md')).map(([extensions = '', mimeTypes = '']) => ({
      extensions: quotedIn(extensions),
      mimeTypes: quotedIn(mimeTypes),
    }));
    assert.deepEqual(
      rows,
      Object.values(FILE_TYPES).map(({ extensions, mimeTypes }) => ({ extensions, mimeTypes })),
    );
  });
});

describe('every guide', () => {
  it('sets only variables that exist', () => {
    // Those of the sandbox alone, of the tests, of nginx, and of Node.
    const others = new Set([
      'SANDBOX_FAULT',
      'SANDBOX_ACCOUNT',
      'CHROMIUM',
      'YOUR_CONVERSATION',
      'YOUR_CONTACT',
      'PATH',
    ]);
    const known = new Set<string>([...ALL_NAMES, ...others]);
    for (const path of documents().filter((name) => !name.startsWith('test/'))) {
      for (const [, name = ''] of read(path).matchAll(/\b([A-Z][A-Z_]+[A-Z])=/g)) {
        assert(known.has(name), `${path}: ${name}`);
      }
    }
  });
});
