import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import process from 'node:process';
import { coreCount, isPinned } from './processes.ts';

/** What numbers were measured on. */
export interface Machine {
  readonly date: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGib: number;
  readonly kernel: string;
  readonly node: string;
  readonly congestionControl: string;
  readonly isPinned: boolean;
  /** With a plus where files differed from it; null outside of a checkout. */
  readonly commit: string | null;
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
    isPinned,
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
    machine.isPinned ? 'target on one core, load and upstream on another' : 'processes not bound to cores',
    ...(commit === null ? [] : [`commit ${commit}`]),
  ].join('; ');
}
