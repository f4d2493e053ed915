import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, release, totalmem } from 'node:os';
import process from 'node:process';
import type { Row } from './compare.ts';
import type { Spread } from './measure.ts';
import { isPinned } from './processes.ts';

/** Where results go; not under version control. */
export const RESULTS_FOLDER = 'bench/results';

/** What the numbers were measured on. */
export interface Machine {
  readonly date: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGib: number;
  readonly kernel: string;
  readonly node: string;
  readonly congestionControl: string;
  readonly isPinned: boolean;
  readonly commit: string | null;
}

/** Describes this machine. */
export function describeMachine(): Machine {
  return {
    date: new Date().toISOString().slice(0, 10),
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryGib: Math.round(totalmem() / 1024 ** 3),
    kernel: release(),
    node: process.version,
    congestionControl: readFileSync('/proc/sys/net/ipv4/tcp_congestion_control', 'utf8').trim(),
    isPinned,
    commit: currentCommit(),
  };
}

function currentCommit(): string | null {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8', stdio: 'pipe' }).trim();
  } catch {
    return null;
  }
}

/** `machine` as the line over a table. */
export function formatMachine(machine: Machine): string {
  const { date, cpu, cores, memoryGib, kernel, node, congestionControl, commit } = machine;
  return [
    `${date}, ${cpu}, ${cores} cores, ${memoryGib} GiB, Linux ${kernel}, Node ${node}`,
    `TCP ${congestionControl}`,
    machine.isPinned ? 'target on one core, load and upstream on another' : 'processes not bound to cores',
    ...(commit === null ? [] : [`commit ${commit}`]),
  ].join('; ');
}

const COLUMNS = ['size', 'target', 'CPU s/GiB', 'ratio', 'peak MiB', 'MiB/s', 'p50 ms', 'p99 ms', 'limit'];

/** A Markdown table of `rows`, so that it can be pasted into a document. */
export function formatTable(rows: readonly Row[]): string {
  const cells = [COLUMNS, COLUMNS.map(() => '---'), ...rows.map(toCells)];
  const widths = COLUMNS.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  return cells
    .map((row) => `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`)
    .join('\n');
}

function toCells(row: Row): string[] {
  return [
    row.size,
    row.target,
    formatSpread(row.cpuSecondsPerGib),
    row.ratio === null ? '1' : formatSpread(row.ratio),
    `${row.peakMib.toFixed(0)} (+${(row.peakMib - row.idleMib).toFixed(0)})`,
    row.mibPerSecond.median.toFixed(0),
    row.p50Ms.toFixed(1),
    row.p99Ms.toFixed(1),
    row.limit,
  ];
}

function formatSpread({ median, min, max }: Spread): string {
  return `${median.toFixed(2)} (${min.toFixed(2)} to ${max.toFixed(2)})`;
}

/** What has to be known to read `rows`, where there is something. */
export function formatNotes(rows: readonly Row[]): string[] {
  const limited = rows.filter(({ limit }) => limit === 'load');
  if (limited.length === 0) return [];
  const which = limited.map(({ target, size }) => `${target} at ${size}`).join(', ');
  return [
    `Load generator and upstream, not the target, were the limit of: ${which}. CPU and memory hold; MiB/s and ms are not the target's.`,
  ];
}

/** Keeps the numbers for programs. */
export function writeResults(machine: Machine, rows: readonly Row[]): string {
  mkdirSync(RESULTS_FOLDER, { recursive: true });
  const path = `${RESULTS_FOLDER}/latest.json`;
  writeFileSync(path, `${JSON.stringify({ machine, rows }, null, 2)}\n`);
  return path;
}
