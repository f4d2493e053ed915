import { cpSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { rolldown } from 'rolldown';
import { toBrowserCode } from '../middleware/browser-modules.ts';
import { SWAGGER_UI_FILES } from '../routes/openapi.ts';

const ROOT = fileURLToPath(new URL('../', import.meta.url));

/**
 * Builds the server into the folder `out`: `main.js`, which includes its dependencies and is what `leadway-bff` runs,
 * and the files that it sends, at the same paths as in the sources.
 */
export async function build(out = join(ROOT, 'dist')): Promise<void> {
  rmSync(out, { recursive: true, force: true });
  const packages = await bundleProgram(join(out, 'main.js'));
  copyBrowserFiles('web', out);
  copyBrowserFiles('client', out);
  cpSync(join(ROOT, 'routes/docs'), join(out, 'routes/docs'), { recursive: true });
  const swaggerUi = join(ROOT, 'node_modules/swagger-ui-dist');
  for (const name of SWAGGER_UI_FILES) cpSync(join(swaggerUi, name), join(out, 'routes/docs', name));
  writeFileSync(join(out, 'THIRD-PARTY-LICENSES.txt'), toLicenses([...packages, swaggerUi]));
}

/** Bundles the program into one file. @returns the folders of the packages in it. */
async function bundleProgram(file: string): Promise<ReadonlySet<string>> {
  const bundle = await rolldown({
    input: join(ROOT, 'server/main.ts'),
    platform: 'node',
    tsconfig: false,
  });
  const { output } = await bundle.write({ file, codeSplitting: false, sourcemap: true });
  await bundle.close();
  const modules = output.flatMap((chunk) => (chunk.type === 'chunk' ? chunk.moduleIds : []));
  const folders = modules.map((id) => /^\/.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id)?.[0]);
  return new Set(folders.filter((folder) => folder !== undefined));
}

/** Copies what the server sends to browsers, modules without their types. */
function copyBrowserFiles(folder: string, out: string): void {
  for (const path of globSync(`${folder}/**/*.{ts,html,css,svg,png}`, {
    cwd: ROOT,
    exclude: ['client/dist'],
  })) {
    const target = join(out, path);
    mkdirSync(dirname(target), { recursive: true });
    if (!path.endsWith('.ts')) cpSync(join(ROOT, path), target);
    else writeFileSync(target.replace(/ts$/, 'js'), toBrowserCode(readFileSync(join(ROOT, path), 'utf8')));
  }
}

/** The licences of `packages`, most of which ask to go with every copy. */
function toLicenses(packages: readonly string[]): string {
  const texts = packages.map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    const [file] = globSync('{LICENSE,LICENCE,License,license,licence}{,.*}', { cwd: folder });
    const text = file === undefined ? '' : `\n${readFileSync(join(folder, file), 'utf8').trim()}\n`;
    return `${name} ${version} (${license})\n${text}`;
  });
  return texts.toSorted().join(`\n${'-'.repeat(80)}\n\n`);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await build();
