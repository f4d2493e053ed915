import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtempDisposable, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { rolldown } from 'rolldown';
import { read } from '../documents/documents.ts';
import { guideFiles, guideNames } from '../guides/guide-files.ts';
import { pack, typeCheck, unpackClient } from '../helpers/client-package.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const run = promisify(execFile);

/** Uses every entry point that needs no other package. */
const USES_ALL = `
import { createUploader, UploadError } from 'leadway-bff-client';
import { createUploadStore } from 'leadway-bff-client/store';
import { prepareWith } from 'leadway-bff-client/prepare';
import { createFakeUploader } from 'leadway-bff-client/testing';
import { xhrUploadOptions } from 'leadway-bff-client/uppy';
import { filePondOptions } from 'leadway-bff-client/filepond';
import { dropzoneOptions } from 'leadway-bff-client/dropzone';
import type { LeadwayUpload } from 'leadway-bff-client/element';

export const store = createUploadStore(createUploader({ endpoint: '/api' }));
export { createFakeUploader, prepareWith };
export { dropzoneOptions, filePondOptions, type LeadwayUpload, UploadError, xhrUploadOptions };
`;

/** What servers that render pages do: import every entry, create an uploader and a list. */
const RENDERS = `
for (const entry of ENTRIES) await import(entry);
const { createUploader } = await import('leadway-bff-client');
const { createUploadStore } = await import('leadway-bff-client/store');
const store = createUploadStore(createUploader({ endpoint: '/api' }));
console.log(store.getSnapshot().length);
`;

/** Packages that guides import and whose types come with them. */
const PACKAGES = [
  ...[
    'react',
    'react-dom',
    '@types/react',
    '@types/react-dom',
    'csstype',
    'react-hook-form',
    'vue',
    'svelte',
  ],
  ...[
    '@uppy/core',
    '@uppy/dashboard',
    '@uppy/xhr-upload',
    'filepond',
    'dropzone',
    'msw',
    'vite',
    'happy-dom',
  ],
];
/** What the guides use of packages that are not installed here, and of an app's own declarations. */
const DECLARATIONS = `
declare module '*.css';
declare module '*.vue' {
  const component: import('vue').DefineComponent;
  export default component;
}
declare module '*.svelte' {
  const component: import('svelte').Component<object>;
  export default component;
}
declare module 'next' {
  type Rewrite = { source: string; destination: string };
  export type NextConfig = { rewrites?: () => Promise<Rewrite[]> };
}
declare module '@vitejs/plugin-react' {
  export default function react(): import('vite').Plugin;
}
`;

/** The compiler options of new apps. */
const TEMPLATES = {
  'the template of Vite': {
    target: 'es2023',
    lib: ['es2023', 'dom', 'dom.iterable'],
    module: 'esnext',
    moduleResolution: 'bundler',
    allowImportingTsExtensions: true,
    verbatimModuleSyntax: true,
    moduleDetection: 'force',
    noUnusedLocals: true,
    noUnusedParameters: true,
    erasableSyntaxOnly: true,
  },
  'the template of Next.js': {
    target: 'es2017',
    lib: ['dom', 'dom.iterable', 'esnext'],
    module: 'esnext',
    moduleResolution: 'bundler',
    isolatedModules: true,
    allowJs: true,
    resolveJsonModule: true,
    esModuleInterop: true,
  },
  'a plain strict project': {
    module: 'nodenext',
    moduleResolution: 'nodenext',
    exactOptionalPropertyTypes: true,
  },
};

/** Gives a process the globals of a page, as the environment `happy-dom` of Vitest does. */
const HAPPY_DOM = `
  import { Window } from 'happy-dom';
  const window = new Window({ url: 'http://localhost/' });
  const own = ['Event', 'CustomEvent', 'EventTarget', 'File', 'FormData'];
  for (const key of Object.getOwnPropertyNames(window)) {
    if (key in globalThis && !own.includes(key)) continue;
    Object.defineProperty(globalThis, key, { value: window[key], configurable: true, writable: true });
  }
  globalThis.closePage = () => window.happyDOM.close();
`;

describe('the tarball of the client', function () {
  this.timeout(120_000);
  let folder: Awaited<ReturnType<typeof mkdtempDisposable>>;
  let home: string;

  before(async () => {
    folder = await mkdtempDisposable(join(tmpdir(), 'client-tarball-'));
    home = join(folder.path, 'app');
    await mkdir(home);
    await unpackClient(await pack('./client', folder.path), home);
    for (const name of PACKAGES) {
      await mkdir(dirname(join(home, 'node_modules', name)), { recursive: true });
      await symlink(join(ROOT, 'node_modules', name), join(home, 'node_modules', name));
    }
    await writeFile(join(home, 'declarations.d.ts'), DECLARATIONS);
  });
  after(() => folder[Symbol.asyncDispose]());

  const manifest = async () =>
    JSON.parse(await readFile(join(home, 'node_modules/leadway-bff-client/package.json'), 'utf8'));

  it('is one package without dependencies', async () => {
    const files = await readdir(join(home, 'node_modules/leadway-bff-client'));
    assert.deepEqual(files.toSorted(), ['LICENSE', 'README.md', 'dist', 'package.json']);
    const { dependencies, peerDependenciesMeta } = await manifest();
    assert.equal(dependencies, undefined);
    for (const meta of Object.values(peerDependenciesMeta)) assert.deepEqual(meta, { optional: true });
  });

  for (const compiler of ['typescript', 'typescript-5.2']) {
    for (const [module, moduleResolution] of [
      ['node16', 'node16'],
      ['nodenext', 'nodenext'],
      ['esnext', 'bundler'],
    ]) {
      it(`has clean types for ${compiler} with ${moduleResolution}`, async () => {
        await writeFile(join(home, 'uses-all.ts'), USES_ALL);
        const options = { module, moduleResolution, exactOptionalPropertyTypes: true };
        assert.equal(await typeCheck(home, ['uses-all.ts'], options, compiler), '');
      });
    }
  }

  for (const [template, options] of Object.entries(TEMPLATES)) {
    it(`compiles the guides in ${template}`, async () => {
      const files = ['declarations.d.ts'];
      for (const guide of guideNames()) {
        // Imports without an extension, and the types of Dropzone, are for bundlers alone.
        if (/nextjs|dropzone/.test(guide) && options.moduleResolution !== 'bundler') continue;
        for (const [name, text] of guideFiles(guide)) {
          if (!/\.tsx?$/.test(name)) continue;
          files.push(join(guide, name));
          await mkdir(dirname(join(home, guide, name)), { recursive: true });
          await writeFile(join(home, guide, name), text);
        }
      }
      assert(files.length > 15, `only ${files}`);
      // As in both templates: the packages' own types are not ours to check. Ours are, above.
      const allowed = { skipLibCheck: true, allowImportingTsExtensions: true };
      assert.equal(await typeCheck(home, files, { ...options, ...allowed }), '');
    });
  }

  it('runs the code of docs/testing.md, whose handlers fit Mock Service Worker', async () => {
    const code = (name: string) =>
      new RegExp(`^\`\`\`\\w+ ${name}\\n(.*?)^\`\`\`$`, 'ms').exec(read('docs/testing.md'))?.[1];
    const sends = `
const response = await fetch('http://app.test/api/messages/upload', { method: 'POST', body: new FormData() });
console.log(response.status, (await response.json()).code);
server.close();`;
    await writeFile(join(home, 'happy-dom.js'), HAPPY_DOM);
    for (const [name, added, printed] of [
      ['fake.js', '', ''],
      ['element.js', 'await globalThis.closePage();', ''],
      ['msw.js', sends, '413 FILE_TOO_LARGE\n'],
    ] as const) {
      await writeFile(join(home, name), `${code(name)}${added}`);
      const page = name === 'element.js' ? ['--import', './happy-dom.js'] : [];
      const { stdout } = await run(process.execPath, [...page, name], { cwd: home });
      assert.equal(stdout, printed, name);
    }
    await writeFile(join(home, 'msw-types.ts'), String(code('msw.js')));
    assert.equal(
      await typeCheck(home, ['msw-types.ts'], {
        ...TEMPLATES['the template of Vite'],
        skipLibCheck: true,
      }),
      '',
    );
  });

  it('can be imported and used while a server renders, on Node 20 and newer', async () => {
    const { exports, peerDependencies } = await manifest();
    const entries = Object.keys(exports)
      .filter((entry) => !/react/.test(entry))
      .map((entry) => entry.replace('.', 'leadway-bff-client'));
    assert(peerDependencies.react !== undefined);
    // Node 20 has neither navigator nor WebSocket; deleting them makes a newer Node like it.
    const isOld = 'delete globalThis.navigator;';
    const code = `${isOld} const ENTRIES = ${JSON.stringify(entries)};${RENDERS}`;
    for (const node of [process.execPath, await findNode20()]) {
      if (node === undefined) continue;
      const { stdout } = await run(node, ['--input-type=module', '-e', code], { cwd: home });
      assert.equal(stdout, '0\n', node);
    }
  });

  it('is tree-shakeable: an unused import leaves nothing in a bundle', async () => {
    const main = join(home, 'main.js');
    await writeFile(main, "import 'leadway-bff-client'; import 'leadway-bff-client/store'; console.log(1);");
    const bundled = await rolldown({ input: main, tsconfig: false });
    const { output } = await bundled.generate({ format: 'es', minify: true });
    await bundled.close();
    assert(output[0].code.length < 40, output[0].code);
  });
});

/** The path of a Node 20, if the PATH has one. */
async function findNode20(): Promise<string | undefined> {
  for (const folder of [...(process.env['PATH'] ?? '').split(':'), '/usr/bin', '/usr/local/bin']) {
    const node = join(folder, 'node');
    const { stdout } = await run(node, ['--version']).catch(() => ({ stdout: '' }));
    if (stdout.startsWith('v20.')) return node;
  }
  return undefined;
}
