import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { documents, projectFiles, ROOT, read } from './documents.ts';

const BINARY = /\.(?:png|jpe?g|ico|gif|webp)$/;
const texts = projectFiles().filter((path) => !path.startsWith('test/fixtures/') && !BINARY.test(path));

describe('the files of the project', () => {
  it('lock packages by version and hash, and leave it to npm where they come from', () => {
    const places = [...read('package-lock.json').matchAll(/"resolved": "(.*)"/g)].map(([, place]) => place);
    assert.deepEqual(places, ['client']); // our own workspace
    assert(!projectFiles().includes('.npmrc'));
  });

  it('lock the packages of every platform, or npm ci fails on all of them', () => {
    const { packages } = JSON.parse(read('package-lock.json')) as {
      packages: Record<string, { optionalDependencies?: Record<string, string> }>;
    };
    for (const [name, { optionalDependencies = {} }] of Object.entries(packages)) {
      for (const wanted of Object.keys(optionalDependencies)) {
        const places = [`node_modules/${wanted}`, `${name}/node_modules/${wanted}`];
        assert(
          places.some((place) => Object.hasOwn(packages, place)),
          `${wanted} of ${name}`,
        );
      }
    }
  });

  it('name no folder of the machine they were written on', () => {
    const machine = /(?:^|[\s"'`(=:])\/(?:work|tmp|root|home)\/\w/m;
    for (const path of documents()) {
      const found = machine.exec(read(path));
      assert.equal(found, null, `${path}: ${found?.[0]}`);
    }
    const project = ROOT.slice(0, -1);
    for (const path of texts) assert(!read(path).includes(project), path);
  });

  it('end their lines in LF, and their last one too', () => {
    for (const path of texts) {
      const text = read(path);
      assert(!text.includes('\r\n'), path);
      assert(text === '' || text.endsWith('\n'), path);
    }
  });
});

describe('the links of the documents', () => {
  for (const path of documents()) {
    it(`lead somewhere: ${path}`, () => {
      const text = read(path).replace(/```.*?```/gs, '');
      for (const [, target = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
        if (/^[a-z]+:/.test(target)) continue;
        const [file = '', anchor] = target.split('#');
        const full = file === '' ? join(ROOT, path) : join(ROOT, dirname(path), file);
        assert(existsSync(full), target);
        if (anchor === undefined) continue;
        const headings = [...read(full.slice(ROOT.length)).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
          slug(heading),
        );
        assert(headings.includes(anchor), `${target}: no such heading`);
      }
    });
  }
});

describe('the tests that documents name', () => {
  const tests = projectFiles().filter((path) => path.endsWith('.test.ts'));
  for (const path of documents().filter((document) => document !== 'CHANGELOG.md')) {
    const named = [...read(path).matchAll(/[\w./-]+\.test\.ts\b/g)].map(([name]) => name);
    if (named.length === 0) continue;
    it(`exist: ${path}`, () => {
      for (const name of named) {
        const isThere = tests.some(
          (test) => test === name || (!name.includes('/') && test.endsWith(`/${name}`)),
        );
        assert(isThere, name);
      }
    });
  }
});

/** The anchor that a heading gets on the usual code hosts. */
function slug(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replaceAll(' ', '-');
}
