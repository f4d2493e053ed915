import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** The operating system's unit of CPU time. */
const TICKS_PER_SECOND = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
const KIB = 1024;

/** What processes and their descendants have used. */
export interface Usage {
  readonly cpuSeconds: number;
  /** Of that, by the threads that the processes began with. */
  readonly mainThreadSeconds: number;
  readonly residentBytes: number;
  /** The most that was ever resident at once, by the kernel's own mark. */
  readonly peakBytes: number;
}

/** Usage of the process trees of `pids`, by the operating system's accounting. */
export function usageOf(pids: readonly number[]): Usage {
  const sum = { cpuSeconds: 0, mainThreadSeconds: 0, residentBytes: 0, peakBytes: 0 };
  for (const pid of treeOf(pids)) {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    sum.cpuSeconds += cpuSecondsOf(pid);
    sum.mainThreadSeconds += scheduledSeconds(pid, String(pid));
    sum.residentBytes += numberIn(status, 'VmRSS') * KIB;
    sum.peakBytes += numberIn(status, 'VmHWM') * KIB;
  }
  return sum;
}

/** `pids` and all that descends from them. */
function treeOf(pids: readonly number[]): number[] {
  return pids.flatMap((pid) => {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
    return [pid, ...treeOf(children === '' ? [] : children.split(' ').map(Number))];
  });
}

/**
 * The accounting in ticks knows threads and children that have ended; the scheduler's is exact but forgets
 * them. The larger of the two is right in both cases.
 */
function cpuSecondsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The command's name may contain anything, so it is counted from its closing parenthesis (proc_pid_stat(5)):
  // field 3 follows, and times of its threads and of ended children are fields 14 to 17.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = [11, 12, 13, 14].reduce((sum, index) => sum + Number(fields[index]), 0);
  const threads = readdirSync(`/proc/${pid}/task`).map((thread) => scheduledSeconds(pid, thread));
  const scheduled = threads.reduce((sum, seconds) => sum + seconds, 0);
  return Math.max(ticks / TICKS_PER_SECOND, scheduled);
}

function scheduledSeconds(pid: number, thread: string): number {
  try {
    return Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]) / 1e9;
  } catch {
    return 0; // a kernel without it, or a thread that ended just now
  }
}

function numberIn(text: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0);
}
