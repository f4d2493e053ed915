import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { Finding } from './finding.ts';
import type { Machine } from './machine.ts';

/** Where results go; not under version control. */
export const RESULTS_FOLDER = 'bench/results';
const RESULTS_PATH = `${RESULTS_FOLDER}/latest.json`;

/** A finding with where and when it was made. */
export interface Result extends Finding {
  readonly machine: Machine;
  /** Whether it may go into documents. */
  readonly isFull: boolean;
}

/** The results that are there; none when nothing was measured yet. */
export function readResults(): readonly Result[] {
  try {
    return (JSON.parse(readFileSync(RESULTS_PATH, 'utf8')) as { results?: Result[] }).results ?? [];
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** Keeps `result` for programs, in place of what was measured under its name before; gives the file's path. */
export function keepResult(result: Result): string {
  const others = readResults().filter(({ name }) => name !== result.name);
  mkdirSync(RESULTS_FOLDER, { recursive: true });
  writeFileSync(RESULTS_PATH, `${JSON.stringify({ results: [...others, result] }, null, 2)}\n`);
  return RESULTS_PATH;
}
