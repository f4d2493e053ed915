import { execFileSync } from 'node:child_process';
import { cpSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type Plugin, rolldown } from 'rolldown';
import { toBrowserCode } from '../middleware/browser-modules.ts';
import { SWAGGER_UI_FILES } from '../routes/openapi.ts';
import { TRACING_PACKAGES } from '../server/observability/tracing-packages.ts';
import { BROWSER_BUNDLES, bundleForBrowsers } from './browser-bundles.ts';

const ROOT = fileURLToPath(new URL('../', import.meta.url));

/**
 * Builds the server into the folder `out`: `main.js`, which includes its dependencies and is what `leadway-bff` runs;
 * `index.js`, which imports them, for programs that embed it; and the files that it sends, at the paths of the sources.
 */
export async function build(out = join(ROOT, 'dist')): Promise<void> {
  rmSync(out, { recursive: true, force: true });
  const packages = await bundle('server/main.ts', join(out, 'main.js'), false);
  await bundle('server/index.ts', join(out, 'index.js'), true);
  writeTypes(join(out, 'types'));
  copyBrowserFiles('web', out);
  copyBrowserFiles('client', out);
  for (const name of Object.keys(BROWSER_BUNDLES)) {
    writeFileSync(join(out, 'client', name), await bundleForBrowsers(name));
  }
  cpSync(join(ROOT, 'routes/docs'), join(out, 'routes/docs'), { recursive: true });
  const swaggerUi = join(ROOT, 'node_modules/swagger-ui-dist');
  for (const name of SWAGGER_UI_FILES) cpSync(join(swaggerUi, name), join(out, 'routes/docs', name));
  writeFileSync(join(out, 'THIRD-PARTY-LICENSES.txt'), toLicenses([...packages, swaggerUi]));
  writeFileSync(join(out, 'sbom.cdx.json'), toSbom());
}

/**
 * Escapes every character that is not ASCII. V8 keeps such a source with two bytes a character, which cost 5 MiB of memory.
 */
const asciiOnly: Plugin = {
  name: 'ascii-only',
  generateBundle(_options, output) {
    for (const file of Object.values(output)) {
      if (file.type === 'chunk') file.code = file.code.replace(/[^\0-\x7f]/g, toEscape);
    }
  },
};

function toEscape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** Bundles `entry` into one file. @returns the folders of the packages in it. */
async function bundle(entry: string, file: string, isLibrary: boolean): Promise<ReadonlySet<string>> {
  const bundled = await rolldown({
    input: join(ROOT, entry),
    platform: 'node',
    tsconfig: false,
    external: isLibrary ? /^[^./]/ : TRACING_PACKAGES,
    plugins: [asciiOnly],
  });
  const { output } = await bundled.write({ file, codeSplitting: false, sourcemap: true });
  await bundled.close();
  const modules = output.flatMap((chunk) => (chunk.type === 'chunk' ? chunk.moduleIds : []));
  const folders = modules.map((id) => /^\/.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id)?.[0]);
  return new Set(folders.filter((folder) => folder !== undefined));
}

/** Writes the types of `server/index.ts`, and of what they refer to. */
function writeTypes(out: string): void {
  const all = mkdtempSync(join(tmpdir(), 'leadway-bff-types-'));
  try {
    execFileSync(
      join(ROOT, 'node_modules/.bin/tsc'),
      ['-p', join(ROOT, 'tsconfig.build.json'), '--outDir', all],
      { stdio: 'inherit' },
    );
    const copied = new Set<string>();
    const copy = (file: string): void => {
      if (copied.has(file)) return;
      copied.add(file);
      const text = readFileSync(join(all, file), 'utf8');
      mkdirSync(dirname(join(out, file)), { recursive: true });
      writeFileSync(join(out, file), text);
      for (const [, path = ''] of text.matchAll(/from '(\.[^']+)\.[jt]s'/g))
        copy(join(dirname(file), `${path}.d.ts`));
    };
    copy('server/index.d.ts');
  } finally {
    rmSync(all, { recursive: true });
  }
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

interface Sbom {
  components: { readonly 'bom-ref': string; readonly properties?: readonly { readonly name: string }[] }[];
  dependencies: { readonly ref: string }[];
}

/**
 * The dependencies as a software bill of materials, in CycloneDX form, without those of development. `npm sbom --omit
 * dev` would leave out every package that a development dependency needs as well.
 */
function toSbom(): string {
  // With NODE_ENV=production npm would omit them by itself.
  const options = [
    '--package-lock-only',
    '--include=dev',
    '--sbom-type',
    'application',
    '--sbom-format',
    'cyclonedx',
  ];
  const text = execFileSync('npm', ['sbom', ...options], {
    cwd: ROOT,
    encoding: 'utf8',
    maxBuffer: Number.POSITIVE_INFINITY,
  });
  const sbom = JSON.parse(text) as Sbom;
  const isDevelopment = ({ properties = [] }: Sbom['components'][number]): boolean =>
    properties.some(({ name }) => name === 'cdx:npm:package:development');
  const left = new Set(sbom.components.filter(isDevelopment).map((component) => component['bom-ref']));
  sbom.components = sbom.components.filter((component) => !left.has(component['bom-ref']));
  sbom.dependencies = sbom.dependencies.filter(({ ref }) => !left.has(ref));
  return `${JSON.stringify(sbom)}\n`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await build();
