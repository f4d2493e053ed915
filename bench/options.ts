import { parseArgs } from 'node:util';
import { type Effort, FULL, QUICK, type Rounds, type Size } from './effort.ts';
import { MEASUREMENTS } from './measurements/index.ts';
import { BASELINE, OURS, TARGETS, type Target } from './targets.ts';

/** What `npm run bench -- …` was asked for. */
export interface Options {
  /** `profile` writes a CPU profile of our server; `readme` writes documents from the results that are there. */
  readonly task: 'measure' | 'profile' | 'readme';
  /** Names of measurements. */
  readonly only: readonly string[];
  /** The baseline is always among them. */
  readonly targets: readonly Target[];
  readonly effort: Effort;
  /** Whether nothing was left out or made shorter, so that the numbers may go into documents. */
  readonly isFull: boolean;
}

const UNITS: Readonly<Record<string, number>> = {
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KIB: 1024,
  MIB: 1024 ** 2,
  GIB: 1024 ** 3,
};

/** Less than this is too little for a document. */
const LEAST_ROUNDS = 5;
const LEAST_SECONDS = 2;

/** Printed by `--help`. */
export const USAGE = `npm run bench                                 everything, about ten minutes
npm run bench -- --quick                      everything in small, about one minute
npm run bench -- --only ${Object.keys(MEASUREMENTS).slice(0, 2).join(',')}    some of ${Object.keys(MEASUREMENTS).join(', ')}
  [--target ${OURS}] [--sizes 100KiB,5MB] [--rounds 9] [--seconds 2] [--concurrency 16]
npm run bench -- --profile [--sizes 5MB]      CPU profile of our server, into bench/results
npm run bench -- --readme                     writes chart and tables of the last results into the documents`;

/** @throws Error that says what is wrong with `args`; null when only the usage is wanted. */
export function parseOptions(args: readonly string[]): Options | null {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      profile: { type: 'boolean', default: false },
      readme: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
      only: { type: 'string', multiple: true },
      sizes: { type: 'string' },
      target: { type: 'string', multiple: true },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      concurrency: { type: 'string' },
    },
  });
  if (values.help) return null;
  const effort = values.quick ? QUICK : FULL;
  const sizes = values.sizes ?? (values.profile ? '5MB' : null);
  const count = (name: 'rounds' | 'seconds' | 'concurrency'): number | null =>
    values[name] === undefined ? null : parseCount(`--${name}`, values[name]);
  const rounds = count('rounds');
  const seconds = count('seconds');
  const isWhole =
    !values.quick && [values.sizes, values.target, values.concurrency].every((value) => value === undefined);
  return {
    isFull:
      isWhole && (rounds ?? LEAST_ROUNDS) >= LEAST_ROUNDS && (seconds ?? LEAST_SECONDS) >= LEAST_SECONDS,
    task: values.profile ? 'profile' : values.readme ? 'readme' : 'measure',
    only: parseNames('--only', values.only, Object.keys(MEASUREMENTS)),
    targets: wantedTargets(values.target),
    effort: {
      ...withRounds(effort, rounds, seconds),
      concurrency: count('concurrency') ?? effort.concurrency,
      sizes: sizes === null ? effort.sizes : sizes.split(',').map(parseSize),
    },
  };
}

function withRounds(effort: Effort, rounds: number | null, seconds: number | null): Effort {
  const { throughput, latency, initiate, scale, connections, cutThrough, refusal, start } = effort;
  const change = <Kind extends Rounds>(kind: Kind): Kind => ({
    ...kind,
    rounds: rounds ?? kind.rounds,
    seconds: seconds ?? kind.seconds,
  });
  return {
    ...effort,
    throughput: change(throughput),
    latency: change(latency),
    initiate: change(initiate),
    scale: change(scale),
    connections: change(connections),
    cutThrough: { ...cutThrough, rounds: rounds ?? cutThrough.rounds },
    refusal: { rounds: rounds ?? refusal.rounds },
    start: { rounds: rounds ?? start.rounds },
  };
}

function wantedTargets(wanted: readonly string[] | undefined): Target[] {
  const names = parseNames(
    '--target',
    wanted,
    TARGETS.map(({ name }) => name),
  );
  return TARGETS.filter(({ name }) => name === BASELINE || names.includes(name)).filter((target) =>
    target.isInstalled(),
  );
}

/** All of `known` when nothing was wanted. */
function parseNames(
  option: string,
  wanted: readonly string[] | undefined,
  known: readonly string[],
): readonly string[] {
  const names = wanted?.flatMap((value) => value.split(',')) ?? known;
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new Error(`${option} ${unknown}: not one of ${known.join(', ')}`);
  return names;
}

function parseSize(label: string): Size {
  const match = /^(\d+)\s*([KMG]?I?B)$/i.exec(label.trim());
  const unit = UNITS[match?.[2]?.toUpperCase() ?? ''];
  if (match === null || unit === undefined) {
    throw new Error(`--sizes ${label}: not a size, such as 100KiB or 5MB`);
  }
  return { label: label.trim(), bytes: Number(match[1]) * unit };
}

function parseCount(name: string, value: string): number {
  if (!/^[1-9]\d{0,4}$/.test(value)) throw new Error(`${name} ${value}: not a whole number above 0`);
  return Number(value);
}
