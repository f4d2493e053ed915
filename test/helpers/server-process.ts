import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { settingsFor, type Upstream } from './sandbox-settings.ts';

/** How a {@link ServerProcess} is started. */
export interface ServerProcessOptions {
  /** Options for Node, as `--trace-gc`. */
  readonly nodeOptions?: readonly string[];
  /** Told of what it prints once it listens. */
  readonly onLine?: (line: string) => void;
}

/** The program in its own process, as `npm start` runs it. */
export interface ServerProcess extends AsyncDisposable {
  readonly url: string;
  /** Resident memory now, in bytes. */
  residentBytes(): number;
  /** The most it has been since {@link forgetPeak}, in bytes. */
  peakBytes(): number;
  forgetPeak(): void;
}

const MAIN = fileURLToPath(new URL('../../server/main.ts', import.meta.url));

/** Starts the program with `upstream`, which lives in this process. Linux only. */
export async function startServerProcess(
  upstream: Upstream,
  env: Readonly<Record<string, string>> = {},
  { nodeOptions = [], onLine = () => {} }: ServerProcessOptions = {},
): Promise<ServerProcess> {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ...nodeOptions, MAIN], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...settingsFor(upstream), ...env },
  });
  const exited = once(child, 'exit');
  const url = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout })
      .on('line', (line) => {
        const listening = /"url":"(http[^"]+)"/.exec(line)?.[1];
        if (listening === undefined) onLine(line);
        else resolve(listening);
      })
      .once('close', () => reject(new Error('the server did not start')));
  });
  const status = (field: string): number => {
    const text = readFileSync(`/proc/${child.pid}/status`, 'utf8');
    return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(text)?.[1]) * 1024;
  };
  return {
    url,
    residentBytes: () => status('VmRSS'),
    peakBytes: () => status('VmHWM'),
    // Five is the kernel's number for it (proc_pid_clear_refs(5)).
    forgetPeak: () => writeFileSync(`/proc/${child.pid}/clear_refs`, '5'),
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      await exited;
    },
  };
}
