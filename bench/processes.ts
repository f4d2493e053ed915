import { type ChildProcess, execFileSync, type StdioOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import { allowedCores, has } from './machine.ts';

/** Where a program runs: the target has a core to itself, load generator and upstream share the others. */
export type Core = 'target' | 'other';

const cores = allowedCores();
const CORES: Readonly<Record<Core, string>> = { target: `${cores[0]}`, other: cores.slice(1).join() };
/** Whether programs are bound to cores. */
const isPinned = cores.length > 1 && has('taskset');

/** Moves this process to the cores of load generator and upstream. */
export function leaveTargetCore(): void {
  if (isPinned) execFileSync('taskset', ['-acp', CORES.other, String(process.pid)], { stdio: 'ignore' });
}

const children = new Set<ChildProcess>();

/** Ends all programs with this process, whichever signal ends it. */
export function endTogether(): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      for (const child of children) child.kill('SIGTERM');
      process.kill(process.pid, signal); // there is no listener any more
    });
  }
}

/** A program of the benchmark; SIGTERM ends it when it goes out of use. */
export class Program implements AsyncDisposable {
  readonly #child: ChildProcess;

  constructor(core: Core, command: readonly string[], env: NodeJS.ProcessEnv, hasChannel = false) {
    // taskset replaces itself by what it runs, so its pid is that of the program.
    const [first, ...rest] = [...(isPinned ? ['taskset', '-c', CORES[core]] : []), ...command];
    if (first === undefined) throw new TypeError('no command');
    const stdio: StdioOptions = ['ignore', 'ignore', 'inherit', ...(hasChannel ? (['ipc'] as const) : [])];
    const child = spawn(first, rest, { stdio, env: { PATH: process.env['PATH'], ...env } });
    this.#child = child;
    children.add(child);
    child.once('exit', () => children.delete(child));
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error('a program of the benchmark did not start');
    return this.#child.pid;
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** Sends `command` and resolves to the next message. */
  async ask<Reply>(command: object): Promise<Reply> {
    const reply = this.next<Reply>();
    this.#child.send(command);
    return reply;
  }

  /** The next message; rejects when the program ends. */
  next<Reply>(): Promise<Reply> {
    const { promise, resolve, reject } = Promise.withResolvers<Reply>();
    const onExit = (): void => reject(new Error('a program of the benchmark ended'));
    this.#child.once('exit', onExit);
    this.#child.once('message', (message) => {
      this.#child.off('exit', onExit);
      resolve(message as Reply);
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
