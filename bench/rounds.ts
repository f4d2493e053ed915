import type { Sample } from './carry.ts';
import type { RunningTarget } from './running-target.ts';
import { spreadOf } from './spread.ts';
import { BASELINE } from './targets.ts';

/** A core is the limit from here on. */
const BUSY_SHARE = 0.95;

/** A target with what was measured of it, round by round; null where it took no part. */
export interface Contender<Result> {
  readonly running: RunningTarget;
  readonly results: (Result | null)[];
  /** Takes part in every so-and-so-many rounds; default 1. */
  every: number;
}

/** A contender that has not been measured yet. */
export function createContender<Result>(running: RunningTarget): Contender<Result> {
  return { running, results: [], every: 1 };
}

/** Measures all contenders in alternated rounds. */
export async function alternate<Result>(
  contenders: readonly Contender<Result>[],
  rounds: number,
  measure: (running: RunningTarget) => Promise<Result>,
): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    // First and last take turns: what the machine does meanwhile, or warms up to, favours nobody.
    const order = round % 2 === 0 ? contenders : [...contenders].reverse();
    for (const { running, results, every } of order) {
      results.push(round % every === 0 ? await measure(running) : null);
    }
  }
}

/** What `pick` gives of every result there is. */
export function picked<Result>({ results }: Contender<Result>, pick: (result: Result) => number): number[] {
  return results.filter((result) => result !== null).map(pick);
}

/** The ratios of `contender` to the baseline of the same rounds; null for the baseline itself, or without one. */
export function ratios<Result>(
  contender: Contender<Result>,
  contenders: readonly Contender<Result>[],
  pick: (result: Result) => number,
): number[] | null {
  const baseline = contenders.find(({ running }) => running.target.name === BASELINE);
  if (baseline === undefined || baseline === contender) return null;
  return contender.results.flatMap((result, round) => {
    const compared = baseline.results[round] ?? null;
    return result === null || compared === null ? [] : [pick(result) / pick(compared)];
  });
}

/** What kept a target from being faster: itself, the core that load and upstream share, or neither. */
export type Limit = 'target' | 'load' | 'neither';

/** The limit of `contender`, by how busy the cores were. */
export function limitOf(contender: Contender<Sample>): Limit {
  const targetShare = spreadOf(picked(contender, (sample) => sample.targetShare)).median;
  const otherShare = spreadOf(picked(contender, (sample) => sample.otherShare)).median;
  if (targetShare >= BUSY_SHARE && targetShare >= otherShare) return 'target';
  return otherShare >= BUSY_SHARE ? 'load' : 'neither';
}

/** Says which of `limited` were held back by the load generator, as notes. */
export function noteLoadLimit(limited: readonly { name: string; limit: Limit }[]): string[] {
  const names = limited.filter(({ limit }) => limit === 'load').map(({ name }) => name);
  if (names.length === 0) return [];
  return [
    `Load generator and upstream, not the target, were the limit of: ${names.join(', ')}. CPU and memory hold; speed and latency are not the target's.`,
  ];
}
