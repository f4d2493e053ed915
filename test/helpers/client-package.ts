import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const run = promisify(execFile);

/** Packs the package at `path` as for the registry. @returns the path of the tarball in `folder`. */
export async function pack(path: string, folder: string): Promise<string> {
  const args = ['pack', path, '--json', '--pack-destination', folder];
  const { stdout } = await run('npm', args, { cwd: ROOT, maxBuffer: 16 * 1024 * 1024 });
  const [{ filename }] = JSON.parse(stdout.slice(stdout.search(/^\[/m))) as [{ filename: string }];
  return join(folder, filename);
}

/** Unpacks the client's tarball into the `node_modules` of a project at `home`, without npm. */
export async function unpackClient(tarball: string, home: string): Promise<string> {
  const target = join(home, 'node_modules/leadway-bff-client');
  await mkdir(target, { recursive: true });
  await writeFile(join(home, 'package.json'), '{"private":true,"type":"module"}');
  await run('tar', ['-xzf', tarball, '-C', target, '--strip-components', '1']);
  return target;
}

/** What a TypeScript compiler says about `files` of a project; `compiler` is the name of its package. */
export async function typeCheck(
  home: string,
  files: readonly string[],
  options: Readonly<Record<string, unknown>>,
  compiler = 'typescript',
): Promise<string> {
  const compilerOptions = {
    target: 'es2022',
    lib: ['es2022', 'dom', 'dom.iterable'],
    types: [],
    jsx: 'react-jsx',
    strict: true,
    noEmit: true,
    skipLibCheck: false,
    ...options,
  };
  await writeFile(join(home, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }));
  return run(process.execPath, [join(ROOT, 'node_modules', compiler, 'bin/tsc'), '-p', home]).then(
    () => '',
    ({ stdout, stderr }: { stdout: string; stderr: string }) => stdout + stderr,
  );
}
