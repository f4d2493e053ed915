import { basename, dirname, extname, join, relative } from 'node:path';
import { compile } from 'svelte/compiler';
import { build, type Plugin } from 'vite';
import { compileScript, parse } from 'vue/compiler-sfc';
import { ROOT, read } from '../documents/documents.ts';
import { GUIDES, guideFiles } from './guide-files.ts';

/** Stands where a guide has the path of the API, until the page knows on which port that is. */
export const API = '__API__';

/** What a browser loads for a guide. */
export interface Bundle {
  readonly script: string;
  readonly style: string;
}

/** Files by name, as a guide could have them. */
export type AddedFiles = Readonly<Record<string, string>>;

/** The entry points of the client's package, and the sources that they are built of. */
const { exports: ENTRIES } = JSON.parse(read('client/package.json')) as {
  readonly exports: Readonly<Record<string, { readonly default: string }>>;
};
const SOURCES = Object.entries(ENTRIES).map(([name, { default: built }]) => ({
  find: new RegExp(`^${name.replace('.', 'leadway-bff-client')}$`),
  replacement: built.replace('./dist/', `${ROOT}client/`).replace(/\.js$/, '.ts'),
}));

const bundles = new Map<string, Promise<Bundle>>();

/**
 * The page's script and style as Vite makes them of the code in a guide, from `entry` on. Made once. `added` are
 * further files beside those of the guide.
 */
export function bundleGuide(guide: string, entry: string, added: AddedFiles = {}): Promise<Bundle> {
  const key = JSON.stringify([guide, entry, added]);
  const files = new Map([...guideFiles(guide), ...Object.entries(added)]);
  const made = bundles.get(key) ?? bundle(`${ROOT}${GUIDES}${guide}`, files, entry);
  bundles.set(key, made);
  return made;
}

async function bundle(folder: string, files: ReadonlyMap<string, string>, entry: string): Promise<Bundle> {
  const made = await build({
    configFile: false,
    root: ROOT,
    publicDir: false,
    logLevel: 'error',
    plugins: [codeOfGuide(folder, files)],
    resolve: { alias: SOURCES },
    define: { 'process.env.NODE_ENV': '"production"' },
    build: {
      write: false,
      minify: false,
      modulePreload: false,
      rolldownOptions: { input: join(folder, entry) },
    },
  });
  const [{ output } = { output: [] }] = [made].flat() as { output: Output[] }[];
  const textOf = (extension: string): string =>
    output
      .filter(({ fileName }) => fileName.endsWith(extension))
      .map(({ code, source }) => String(code ?? source))
      .join('\n');
  return { script: textOf('.js'), style: textOf('.css') };
}

/** A chunk or an asset, as far as it matters here. */
interface Output {
  readonly fileName: string;
  readonly code?: string;
  readonly source?: string | Uint8Array;
}

/** Serves the blocks of a guide to Vite as if they were files in a folder of its name. */
function codeOfGuide(folder: string, files: ReadonlyMap<string, string>): Plugin {
  return {
    name: 'code-of-guide',
    enforce: 'pre',
    resolveId(id, importer) {
      const path = id.startsWith('.') && importer !== undefined ? join(dirname(importer), id) : id;
      // The templates of Next.js and Svelte leave out the extension.
      return [path, `${path}.tsx`, `${path}.ts`].find((one) => files.has(relative(folder, one)));
    },
    load(id) {
      const text = files.get(relative(folder, id));
      if (text === undefined) return undefined;
      const code = text.replaceAll(/(['"])\/api/g, `$1${API}`);
      return COMPILERS[extname(id)]?.(code, id) ?? code;
    },
  };
}

/** What the frameworks' own plugins for Vite do with a component without styles, by its extension. */
const COMPILERS: Readonly<
  Record<string, (source: string, filename: string) => { code: string; moduleType: 'js' | 'ts' }>
> = {
  '.vue'(source, filename) {
    const { descriptor, errors } = parse(source, { filename });
    if (errors.length > 0) throw errors[0];
    const { content } = compileScript(descriptor, { id: basename(filename), inlineTemplate: true });
    return { code: content, moduleType: descriptor.scriptSetup?.lang === 'ts' ? 'ts' : 'js' };
  },
  '.svelte'(source, filename) {
    const { js, warnings } = compile(source, { filename });
    if (warnings.length > 0) throw new Error(String(warnings[0]));
    return { code: js.code, moduleType: 'js' };
  },
};
