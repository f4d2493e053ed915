import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { chmod, cp, mkdir, rename, rm, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { ROOT, read } from '../documents/documents.ts';

const run = promisify(execFile);

/** Programs that building and running the image takes. */
export const IMAGE_PROGRAMS = ['buildah', 'bwrap', 'mmdebstrap'] as const;

/** The image's configuration, as far as the tests look at it. */
export interface ImageConfig {
  readonly User: string;
  readonly Env: readonly string[];
  readonly WorkingDir: string;
  readonly Entrypoint: readonly string[];
  readonly Healthcheck: { readonly Test: readonly string[] };
  readonly Labels: Readonly<Record<string, string>>;
  readonly Volumes: object | null;
}

/** A built image whose root file system is mounted. */
export interface BuiltImage {
  readonly config: ImageConfig;
  /** Where its root file system is. */
  readonly root: string;
}

/**
 * Builds `deploy/Dockerfile` in `folder`. In the place of its build stage, which takes a container registry, stands a
 * folder in which the same command has run on the files that the stage would get.
 */
export async function buildImage(folder: string): Promise<BuiltImage> {
  const storage = ['--root', join(folder, 'store'), '--runroot', join(folder, 'run')];
  const buildah = async (command: string, ...args: string[]): Promise<string> => {
    const { stdout } = await run('buildah', [...storage, '--storage-driver', 'vfs', command, ...args]);
    return stdout.trim();
  };
  const [base, sources] = await Promise.all([baseImage(), buildSources(join(folder, 'context/src'))]);
  await run('sh', ['-c', 'printf "FROM scratch\\nADD base.tar /\\n" > Base'], { cwd: folder });
  await cp(base, join(folder, 'base.tar'));
  const options = ['--isolation', 'chroot', '--format', 'docker', '--pull-never', '--quiet'];
  await buildah('build', ...options, '-t', 'base', '-f', join(folder, 'Base'), folder);
  await rm(join(folder, 'base.tar'));
  await buildah(
    'build',
    ...options,
    ...['--build-arg', 'BUILD_IMAGE=localhost/base', '--build-arg', 'BASE_IMAGE=localhost/base'],
    ...['--build-arg', 'VERSION=1.2.3', '--build-context', `build=${join(folder, 'context')}`],
    ...['-t', 'leadway-bff', '-f', join(ROOT, 'deploy/Dockerfile'), sources],
  );
  const inspected = JSON.parse(await buildah('inspect', '--type', 'image', 'leadway-bff')) as {
    Docker: { config: ImageConfig };
  };
  const container = await buildah('from', '--pull-never', 'localhost/leadway-bff');
  const root = await buildah('mount', container);
  for (const name of ['proc', 'dev', 'tmp']) await mkdir(join(root, name), { recursive: true }); // as runtimes do
  // The image's user has to get there.
  for (let path = root; path.startsWith(folder); path = dirname(path)) await chmod(path, 0o755);
  return { config: inspected.Docker.config, root };
}

/** A root file system with Node and what it needs, and without a shell. Made once, which takes half a minute. */
async function baseImage(): Promise<string> {
  const file = join(ROOT, `node_modules/.cache/image-base-${process.version}.tar`);
  if (existsSync(file)) return file;
  await mkdir(dirname(file), { recursive: true });
  await run('mmdebstrap', [
    '--variant=extract',
    '--include=libstdc++6,libgcc-s1,ca-certificates',
    `--extract-hook=install -D -m 755 "${process.execPath}" "$1/usr/local/bin/node"`,
    'bookworm',
    `${file}.new.tar`,
  ]);
  await rename(`${file}.new.tar`, file);
  return file;
}

/** Does what the build stage does, in `folder`: the files that the ignore file lets through, and the build. */
async function buildSources(folder: string): Promise<string> {
  const wanted = read('deploy/Dockerfile.dockerignore')
    .split('\n')
    .filter((line) => line.startsWith('!'))
    .map((line) => line.slice(1));
  const { stdout } = await run(
    'git',
    ['ls-files', '--cached', '--others', '--exclude-standard', '--', ...wanted],
    {
      cwd: ROOT,
    },
  );
  for (const file of stdout.trim().split('\n')) await cp(join(ROOT, file), join(folder, file));
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  // Images are often built for production: the list of packages must not depend on that.
  await run('npm', ['run', 'build'], { cwd: folder, env: { ...process.env, NODE_ENV: 'production' } });
  await run(process.execPath, ['scripts/copy-tracing.ts', 'tracing'], { cwd: folder });
  await rm(join(folder, 'node_modules'));
  return folder;
}

/** The image's program, or another one, in a container of the image. */
export interface Container extends AsyncDisposable {
  /** The process id that the host sees. */
  readonly pid: Promise<number>;
  readonly output: string;
  readonly exitCode: Promise<number | null>;
  /** Waits until the output matches. */
  until(pattern: RegExp): Promise<RegExpExecArray>;
}

/** Runs `command` as the image says: its user, its variables, its folder; a root file system that is read-only. */
export function runContainer(
  { config, root }: BuiltImage,
  env: Readonly<Record<string, string>> = {},
  command: readonly string[] = config.Entrypoint,
): Container {
  const [uid, gid] = config.User.split(':').map(Number);
  const child: ChildProcess = spawn(
    'bwrap',
    [
      ...['--ro-bind', root, '/', '--tmpfs', '/tmp', '--proc', '/proc', '--dev', '/dev'],
      ...['--unshare-user', '--unshare-pid', '--as-pid-1', '--die-with-parent', '--chdir', config.WorkingDir],
      ...['--json-status-fd', '3', ...command],
    ],
    {
      uid: uid as number,
      gid: gid as number,
      env: { ...Object.fromEntries(config.Env.map((line) => line.split('='))), ...env },
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    },
  );
  let output = '';
  let changed = Promise.withResolvers<void>();
  const pid = Promise.withResolvers<number>();
  const notify = (): void => {
    const { resolve } = changed;
    changed = Promise.withResolvers();
    resolve();
  };
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      notify();
    });
  }
  child.stdio[3]?.on('data', (text: Buffer) => {
    const found = /"child-pid": (\d+)/.exec(text.toString())?.[1];
    if (found !== undefined) pid.resolve(Number(found));
  });
  let hasEnded = false;
  const exitCode = once(child, 'close').then(([code]) => {
    hasEnded = true;
    notify();
    return code as number | null;
  });
  return {
    pid: pid.promise,
    get output() {
      return output;
    },
    exitCode,
    async until(pattern) {
      for (;;) {
        const match = pattern.exec(output);
        if (match !== null) return match;
        if (hasEnded) throw new Error(`it ended without ${pattern}:\n${output}`);
        await changed.promise;
      }
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await exitCode;
    },
  };
}

/** The kernel's user id of a process. */
export function uidOf(pid: number): number {
  return Number(/^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}
