import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

/** The sources, as `npm start` runs them. */
const MAIN = fileURLToPath(new URL('../../server/main.ts', import.meta.url));

/** How a program is started. */
export interface ProgramOptions {
  /** All of its variables, beside what any process needs. */
  readonly env?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  /** Its file; by default that of the sources. */
  readonly main?: string;
  readonly cwd?: string;
  /** A program that runs it, with its arguments. */
  readonly under?: readonly string[];
  /** Gives it a terminal for its output, by `script` of util-linux. */
  readonly isOnTerminal?: boolean;
}

/** The program in its own process. */
export interface Program extends AsyncDisposable {
  readonly child: ChildProcess;
  readonly stdout: string;
  readonly stderr: string;
  /** Its exit code and signal, once it has ended and its output is read. */
  readonly ended: Promise<{ readonly code: number | null; readonly signal: string | null }>;
  /** Waits until standard output matches; the groups of the match. */
  until(pattern: RegExp): Promise<RegExpExecArray>;
}

/** Starts the program in its own process. It listens on a free port of the loopback address by default. */
export function startProgram({
  env = {},
  args = [],
  main = MAIN,
  cwd = tmpdir(),
  under = [],
  isOnTerminal = false,
}: ProgramOptions = {}): Program {
  const command = [...under, process.execPath, main, ...args];
  const [file = '', ...rest] = isOnTerminal ? ['script', '-qec', command.join(' '), '/dev/null'] : command;
  const child = spawn(file, rest, {
    cwd,
    env: { PATH: process.env['PATH'], HOST: '127.0.0.1', PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  let changed = Promise.withResolvers<void>();
  const tell = () => {
    const { resolve } = changed;
    changed = Promise.withResolvers();
    resolve();
  };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      output[name] += text;
      tell();
    });
  }
  let hasEnded = false;
  const ended = once(child, 'close').then(([code, signal]) => {
    hasEnded = true;
    tell();
    return { code: code as number | null, signal: signal as string | null };
  });
  return {
    child,
    get stdout() {
      return output.stdout;
    },
    get stderr() {
      return output.stderr;
    },
    ended,
    async until(pattern) {
      for (;;) {
        const match = pattern.exec(output.stdout);
        if (match !== null) return match;
        if (hasEnded) throw new Error(`it ended without ${pattern}:\n${output.stdout}${output.stderr}`);
        await changed.promise;
      }
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** Starts the program in sandbox mode and waits until it listens. */
export async function startSandboxed(
  env: Readonly<Record<string, string>> = {},
  options: Omit<ProgramOptions, 'env'> = {},
): Promise<{ program: Program; url: string }> {
  const program = startProgram({ ...options, env: { SANDBOX: 'on', ...env } });
  const [, url = ''] = await program.until(/^page +(http:\/\/\S+)\/$[\s\S]*^sandbox /m);
  return { program, url };
}

/** A temporary folder that is gone afterwards. */
export async function tempFolder(): Promise<{ path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), 'bff-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}
