import { execFileSync } from 'node:child_process';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { fileURLToPath, pathToFileURL } from 'node:url';

const ROOT = new URL('../', import.meta.url);

interface Manifest {
  readonly exports: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly [name: string]: unknown;
}

/**
 * Builds the browser client into the folder `out` (default `client/dist/`) as a package of its own: modules, types, and
 * a manifest that names none of the server's dependencies, which whoever imports the client would install.
 */
export function buildClient(out: URL = new URL('client/dist/', ROOT)): void {
  rmSync(out, { recursive: true, force: true });
  const tsc = fileURLToPath(new URL('node_modules/.bin/tsc', ROOT));
  const options = ['-p', fileURLToPath(new URL('tsconfig.build.json', ROOT)), '--outDir', fileURLToPath(out)];
  execFileSync(tsc, options, { stdio: 'inherit' });
  const manifest = JSON.parse(readFileSync(new URL('package.json', ROOT), 'utf8')) as Manifest;
  const { name, version, license, type, peerDependencies, peerDependenciesMeta } = manifest;
  const about = {
    name,
    version,
    description:
      'Browser client of the Leadway upload BFF: uploads with real progress that survive bad networks',
    license,
    type,
    sideEffects: false,
    exports: fromOut(manifest.exports),
    peerDependencies,
    peerDependenciesMeta,
  };
  writeFileSync(new URL('package.json', out), `${JSON.stringify(about, null, 2)}\n`);
  cpSync(new URL('LICENSE', ROOT), new URL('LICENSE', out));
  const guide = readFileSync(new URL('docs/guides/client.md', ROOT), 'utf8');
  // Links into the project lead nowhere from the package.
  writeFileSync(new URL('README.md', out), guide.replace(/\[([^\]]+)\]\(\.[^)]*\)/g, '$1'));
}

/** The entry points as seen from the folder that they are in. */
function fromOut(entries: Manifest['exports']): Manifest['exports'] {
  const shorten = (targets: Readonly<Record<string, string>>) =>
    Object.fromEntries(Object.entries(targets).map(([when, path]) => [when, path.replace('./dist/', './')]));
  return Object.fromEntries(Object.entries(entries).map(([entry, targets]) => [entry, shorten(targets)]));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) buildClient();
