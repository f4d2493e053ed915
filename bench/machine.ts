import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import process from 'node:process';

/** What the numbers were measured on. */
export interface Machine {
  readonly date: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGib: number;
  readonly kernel: string;
  readonly node: string;
  readonly congestionControl: string;
  /** With a plus where files differ from it; null outside of a checkout. */
  readonly commit: string | null;
}

/** CPU and memory of processes and their descendants. */
export interface Usage {
  /** User and system time. */
  readonly cpuSeconds: number;
  readonly residentBytes: number;
  /** The kernel's mark of the most that was resident at once. */
  readonly peakBytes: number;
}

/** Milliseconds of the monotonic clock that all processes of the machine share. */
export function systemNowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** The cores that we may run on: in a container they need not begin with 0. */
export function allowedCores(): number[] {
  if (process.platform !== 'linux') return [0];
  const list = /^Cpus_allowed_list:\s*(.*)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '';
  return list.split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}

/** As the program was started: it moves away from the target's core later. */
const coreCount = allowedCores().length;

/** Whether there is a command of that name. */
export function has(command: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${command}`], { stdio: 'ignore' }).status === 0;
}

/** Describes this machine. */
export function describeMachine(): Machine {
  return {
    date: new Date().toISOString().slice(0, 10),
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: coreCount,
    memoryGib: Math.round(totalmem() / 1024 ** 3),
    kernel: release().replace(/[-+].*/, ''),
    node: process.version.slice(1),
    congestionControl: readFileSync('/proc/sys/net/ipv4/tcp_congestion_control', 'utf8').trim(),
    commit: currentCommit(),
  };
}

function currentCommit(): string | null {
  const git = (...args: string[]): string =>
    execFileSync('git', args, { encoding: 'utf8', stdio: 'pipe' }).trim();
  try {
    const folders = ['server', 'middleware', 'routes', 'bench', 'package-lock.json'];
    const isChanged = git('status', '--porcelain', '--', ...folders) !== '';
    return `${git('rev-parse', '--short', 'HEAD')}${isChanged ? '+' : ''}`;
  } catch {
    return null;
  }
}

/** `machine` in a line. */
export function formatMachine(machine: Machine): string {
  const { date, cpu, cores, memoryGib, kernel, node, congestionControl, commit } = machine;
  return [
    `${date}, ${cpu}, ${cores} cores, ${memoryGib} GiB, Linux ${kernel}, Node ${node}`,
    `TCP ${congestionControl}`,
    ...(commit === null ? [] : [`commit ${commit}`]),
  ].join('; ');
}

const IN_OWN_NETWORK = 'BENCH_NETWORK';
/** BBR paces loopback, which makes the same bytes cost more and the cost vary. */
const PREPARE_NETWORK = 'ip link set lo up && echo reno > /proc/sys/net/ipv4/tcp_congestion_control';

/**
 * Runs this program again in a network namespace with Reno congestion control, where the machine allows it.
 *
 * @returns its exit code; null if it has to run here.
 */
export function rerunInOwnNetwork(args: readonly string[]): number | null {
  if (process.env[IN_OWN_NETWORK] !== undefined || !has('unshare') || !has('ip')) return null;
  const unshare = (command: string, rest: readonly string[], stdio: 'ignore' | 'inherit'): number | null => {
    const env = { ...process.env, [IN_OWN_NETWORK]: 'own' };
    return spawnSync('unshare', ['-rn', 'sh', '-c', command, ...rest], { stdio, env }).status;
  };
  if (unshare(PREPARE_NETWORK, [], 'ignore') !== 0) return null;
  const program = [process.execPath, ...process.execArgv, 'bench/run.ts', ...args];
  return unshare(`${PREPARE_NETWORK} && exec "$0" "$@"`, program, 'inherit') ?? 1;
}

const KIB = 1024;
let ticksPerSecond: number | null = null;

/** Usage of the process trees of `pids`, by the operating system's accounting. */
export function usageOf(pids: readonly number[]): Usage {
  const sum = { cpuSeconds: 0, residentBytes: 0, peakBytes: 0 };
  for (const pid of treeOf(pids)) {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    sum.cpuSeconds += cpuSecondsOf(pid);
    sum.residentBytes += numberIn(status, 'VmRSS') * KIB;
    sum.peakBytes += numberIn(status, 'VmHWM') * KIB;
  }
  return sum;
}

/** Sets the kernel's mark of {@link Usage.peakBytes} to what is resident now (proc_pid_clear_refs(5)). */
export function resetPeak(pids: readonly number[]): void {
  for (const pid of treeOf(pids)) writeFileSync(`/proc/${pid}/clear_refs`, '5');
}

function treeOf(pids: readonly number[]): number[] {
  return pids.flatMap((pid) => {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
    return [pid, ...treeOf(children === '' ? [] : children.split(' ').map(Number))];
  });
}

/**
 * The accounting in ticks includes threads and children that have ended; the scheduler's is exact but forgets them.
 * The larger of the two is right in both cases.
 */
function cpuSecondsOf(pid: number): number {
  ticksPerSecond ??= Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The command's name may contain anything, so fields are counted from its closing parenthesis (proc_pid_stat(5)):
  // field 3 follows, and the times of the process and of ended children are fields 14 to 17.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = [11, 12, 13, 14].reduce((sum, index) => sum + Number(fields[index]), 0);
  const threads = readdirSync(`/proc/${pid}/task`).map((thread) => scheduledSeconds(pid, thread));
  const scheduled = threads.reduce((sum, seconds) => sum + seconds, 0);
  return Math.max(ticks / ticksPerSecond, scheduled);
}

function scheduledSeconds(pid: number, thread: string): number {
  try {
    return Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]) / 1e9;
  } catch {
    return 0; // a kernel without it, or a thread that has just ended
  }
}

function numberIn(text: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0);
}
