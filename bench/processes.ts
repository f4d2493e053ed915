import { type ChildProcess, execFileSync, type StdioOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import process from 'node:process';

/** Which core a process runs on: what is measured has one for itself. */
export type Core = 'target' | 'other';

const CORES: Readonly<Record<Core, string>> = { target: '0', other: '1' };

/** Whether processes are bound to cores here. */
export const isPinned = availableParallelism() > 1 && has('taskset');

/** Whether there is a command of that name. */
export function has(command: string): boolean {
  try {
    execFileSync('sh', ['-c', `command -v ${command}`], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** A process of the benchmark. Ended with SIGTERM when it goes out of use. */
export class Part implements AsyncDisposable {
  readonly #child: ChildProcess;

  constructor(core: Core, nodeArguments: readonly string[], env: NodeJS.ProcessEnv, hasChannel: boolean) {
    // taskset replaces itself by what it runs, so its pid is that of the process measured.
    const [command, ...rest] = [
      ...(isPinned ? ['taskset', '-c', CORES[core]] : []),
      process.execPath,
      ...nodeArguments,
    ] as [string, ...string[]];
    const stdio: StdioOptions = hasChannel
      ? ['ignore', 'ignore', 'inherit', 'ipc']
      : ['ignore', 'ignore', 'inherit'];
    this.#child = spawn(command, rest, { stdio, env: { PATH: process.env['PATH'], ...env } });
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
