import { type ChildProcess, execFileSync, type StdioOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import process from 'node:process';

/** Where a process runs: what is measured has a core for itself, or two; load and upstream have the others. */
export type Core = 'target' | 'second' | 'both' | 'other';

const cores = allowedCores();
/** How many cores all of the benchmark has. */
export const coreCount = cores.length;
/** Whether there is room for two measured processes, load and upstream without sharing a core. */
export const hasSpareCores = cores.length >= 4;

const CORES: Readonly<Record<Core, string>> = {
  target: `${cores[0]}`,
  second: `${cores[1]}`,
  both: `${cores[0]},${cores[1]}`,
  other: (hasSpareCores ? cores.slice(2) : cores.slice(1, 2)).join(),
};

/** Whether processes are bound to cores here. */
export const isPinned = cores.length > 1 && has('taskset');

/** The cores that we may run on: a container need not have those that are numbered first. */
function allowedCores(): number[] {
  if (process.platform !== 'linux') return [0];
  const list = /^Cpus_allowed_list:\s*(.*)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '';
  return list.split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}

/** Whether there is a command of that name. */
export function has(command: string): boolean {
  try {
    execFileSync('sh', ['-c', `command -v ${command}`], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Leaves the measured core to what is measured: this process goes to where load and upstream are. */
export function stepAside(): void {
  if (isPinned) execFileSync('taskset', ['-acp', CORES.other, String(process.pid)], { stdio: 'ignore' });
}

/** The command that runs a script of ours. */
export function nodeCommand(script: string, nodeOptions: readonly string[] = []): readonly string[] {
  return [process.execPath, ...nodeOptions, script];
}

/** A process of the benchmark. Ended with SIGTERM when it goes out of use. */
export class Part implements AsyncDisposable {
  readonly #child: ChildProcess;

  constructor(core: Core, command: readonly string[], env: NodeJS.ProcessEnv, hasChannel: boolean) {
    // taskset replaces itself by what it runs, so its pid is that of the process measured.
    const [first, ...rest] = [...(isPinned ? ['taskset', '-c', CORES[core]] : []), ...command];
    if (first === undefined) throw new TypeError('no command');
    const stdio: StdioOptions = hasChannel
      ? ['ignore', 'ignore', 'inherit', 'ipc']
      : ['ignore', 'ignore', 'inherit'];
    this.#child = spawn(first, rest, { stdio, env: { PATH: process.env['PATH'], ...env } });
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error('a process of the benchmark did not start');
    return this.#child.pid;
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** Sends `command` and resolves to the next message. */
  async ask<Answer>(command: unknown): Promise<Answer> {
    const answer = this.next<Answer>();
    this.#child.send(command as object);
    return answer;
  }

  /** The next message; rejects when the process ends instead. */
  next<Answer>(): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const onExit = (): void => reject(new Error('a process of the benchmark ended'));
    this.#child.once('exit', onExit);
    this.#child.once('message', (message) => {
      this.#child.off('exit', onExit);
      resolve(message as Answer);
    });
    return promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.hasEnded) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await exited;
  }
}
