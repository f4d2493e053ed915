import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtempDisposable, readFile, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const run = promisify(execFile);

/** Where the exports of each entry point are written down. */
const ENTRIES: Readonly<Record<string, readonly string[]>> = {
  client: ['types.ts', 'uploader.ts', 'upload-error.ts', 'error-codes.ts'],
  store: ['store.ts'],
  react: ['react.ts'],
  prepare: ['prepare.ts'],
  testing: ['testing.ts'],
  element: ['element/leadway-upload.ts', 'element/events.ts', 'element/texts.ts', 'element/react.ts'],
};
/** What their modules share among themselves. */
const INTERNAL = new Set([
  'SERVER_ERROR_CODES',
  'LOCAL_ERROR_CODES',
  'UploadErrorFacts',
  'FileKind',
  'Language',
  'TEXTS',
]);

/** A project that has the built package as its only dependency, beside React and its types. */
async function createConsumer(folder: string): Promise<void> {
  const modules = join(folder, 'node_modules');
  await mkdir(join(modules, '@types'), { recursive: true });
  const home = join(modules, 'leadway-bff-client');
  await run(join(ROOT, 'node_modules/.bin/tsc'), [
    '-p',
    join(ROOT, 'client/tsconfig.build.json'),
    '--outDir',
    join(home, 'dist'),
  ]);
  await cp(join(ROOT, 'client/package.json'), join(home, 'package.json'));
  for (const name of ['react', '@types/react', 'csstype']) {
    await symlink(join(ROOT, 'node_modules', name), join(modules, name));
  }
  await writeFile(join(folder, 'package.json'), '{"type":"module"}');
}

/** What the compiler says about a project's files, as someone would use it who is strict. */
async function check(folder: string, module: 'nodenext' | 'esnext', resolution: string): Promise<string> {
  const compilerOptions = {
    module,
    moduleResolution: resolution,
    target: 'es2022',
    lib: ['es2022', 'dom', 'dom.iterable'],
    types: [],
    jsx: 'react-jsx',
    strict: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
  };
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions }));
  const tsc = join(ROOT, 'node_modules/.bin/tsc');
  return run(tsc, ['-p', folder]).then(
    ({ stdout }) => stdout,
    ({ stdout }: { stdout: string }) => stdout,
  );
}

describe('the package of the client', function () {
  this.timeout(60_000);

  it('has an example for every export, and each can be pasted', async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), 'examples-'));
    await createConsumer(folder.path);
    let count = 0;
    for (const file of Object.values(ENTRIES).flat()) {
      const source = await readFile(join(ROOT, 'client', file), 'utf8');
      const pattern =
        /(?:\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\n)?export (?:function|class|interface|type|const) (\w+)/g;
      for (const [, text = '', name = ''] of source.matchAll(pattern)) {
        if (INTERNAL.has(name)) continue;
        const doc = text.replace(/^ *\* ?/gm, '');
        const [, language, code] = /@example\n```(tsx?)\n([\s\S]*?)```/.exec(doc) ?? [];
        assert(code !== undefined, `${file}: ${name} has no example`);
        await writeFile(join(folder.path, `${name}-example.${language}`), code);
        count += 1;
      }
    }
    const page = await readFile(join(ROOT, 'docs/element.md'), 'utf8');
    for (const [, language, code = ''] of page.matchAll(/^```(tsx?)\n(.*?)^```$/gms)) {
      await writeFile(join(folder.path, `element-page-${++count}.${language}`), code);
    }
    assert(count > 15, `${count} examples`);
    assert.equal(await check(folder.path, 'esnext', 'bundler'), '');
    assert.equal(await check(folder.path, 'nodenext', 'nodenext'), '');
  });

  it('says so when an example does not fit', async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), 'examples-'));
    await createConsumer(folder.path);
    const wrong =
      "import { createUploader } from 'leadway-bff-client';\ncreateUploader({ concurency: 2 });\n";
    await writeFile(join(folder.path, 'wrong.ts'), wrong);
    assert.match(await check(folder.path, 'esnext', 'bundler'), /concurency/);
  });
});
