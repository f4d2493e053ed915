import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** The operating system's unit of CPU time. */
const TICKS_PER_SECOND = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
const KIB = 1024;

/** What a process and its descendants have used. */
export interface Usage {
  readonly cpuSeconds: number;
  readonly residentBytes: number;
  /** The most that was ever resident at once, by the kernel's own mark. */
  readonly peakBytes: number;
}

/** Usage of the process tree of `pid`, by the operating system's accounting. */
export function usageOf(pid: number): Usage {
  const { ticks, children } = readStat(pid);
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  let cpuSeconds = ticks / TICKS_PER_SECOND;
  let residentBytes = kibOf(status, 'VmRSS');
  let peakBytes = kibOf(status, 'VmHWM');
  for (const child of children) {
    const usage = usageOf(child);
    cpuSeconds += usage.cpuSeconds;
    residentBytes += usage.residentBytes;
    peakBytes += usage.peakBytes;
  }
  return { cpuSeconds, residentBytes, peakBytes };
}

/** Times of all its threads and of its children that have ended (proc_pid_stat(5), fields 14 to 17). */
function readStat(pid: number): { ticks: number; children: number[] } {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The command's name may contain anything, so it is counted from its closing parenthesis: field 3 follows.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = [11, 12, 13, 14].reduce((sum, index) => sum + Number(fields[index]), 0);
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return { ticks, children: children === '' ? [] : children.split(' ').map(Number) };
}

function kibOf(status: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0) * KIB;
}

/** Watches how much memory a process tree has, until it goes out of use. */
export class MemoryWatch implements Disposable {
  readonly #pid: number;
  readonly #timer: NodeJS.Timeout;
  #mostBytes = 0;

  constructor(pid: number) {
    this.#pid = pid;
    this.#timer = setInterval(() => this.#poll(), 50);
  }

  /** The most that was resident so far, by what was seen and by the kernel's marks. */
  get mostBytes(): number {
    this.#poll();
    return Math.max(this.#mostBytes, usageOf(this.#pid).peakBytes);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #poll(): void {
    this.#mostBytes = Math.max(this.#mostBytes, usageOf(this.#pid).residentBytes);
  }
}

/** The middle of `values`, and how far they reach. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** The spread of at least one value. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (index: number): number => sorted[index] ?? Number.NaN;
  const middle = (sorted.length - 1) / 2;
  return {
    median: (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2,
    min: at(0),
    max: at(sorted.length - 1),
  };
}
