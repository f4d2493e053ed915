import { parseArgs } from 'node:util';
import { BASELINE, OURS, otherCheckout, TARGETS, type Target } from './targets.ts';

/** The size of a file. */
interface Size {
  readonly label: string;
  readonly bytes: number;
}

interface Rounds {
  readonly rounds: number;
  /** Of load in each round. */
  readonly seconds: number;
}

/** How much each measurement does. */
export interface Profile {
  /** Leaves out all peers but the bare pipe where they take long. */
  readonly isQuick: boolean;
  readonly concurrency: number;
  /** Of one window of the warm-up. */
  readonly warmUpSeconds: number;
  readonly sizes: readonly Size[];
  readonly throughput: Rounds;
  readonly latency: Rounds;
  readonly initiate: Rounds;
  readonly cutThrough: { readonly rounds: number; readonly fileBytes: number };
  readonly rejection: { readonly rounds: number };
  readonly start: { readonly rounds: number };
  readonly memory: { readonly bytesPerSecond: number; readonly filesPerClient: number };
}

/** What `npm run bench -- …` is asked to do. */
export interface Options {
  /**
   * `check` only proves that every target does its work; `profile` writes a CPU profile of our server; `readme` writes
   * the stored results into documents.
   */
  readonly task: 'measure' | 'check' | 'profile' | 'readme';
  /** Names of measurements. */
  readonly only: readonly string[];
  /** The baseline is always among them. */
  readonly targets: readonly Target[];
  readonly profile: Profile;
  readonly isFull: boolean;
}

/** Everything that can be measured, in order. */
export const MEASUREMENTS = [
  'throughput',
  'initiate',
  'latency',
  'cut-through',
  'rejection',
  'scan',
  'memory',
  'start',
  'files',
] as const;

const MB = 1_000_000;
const SIZES: readonly Size[] = [
  { label: '100KiB', bytes: 100 * 1024 },
  { label: '5MB', bytes: 5 * MB },
  { label: '100MB', bytes: 100 * MB },
];

/** About fifteen minutes. */
const FULL: Profile = {
  isQuick: false,
  concurrency: 16,
  warmUpSeconds: 1,
  sizes: SIZES,
  throughput: { rounds: 9, seconds: 1 },
  latency: { rounds: 5, seconds: 2 },
  initiate: { rounds: 9, seconds: 1 },
  cutThrough: { rounds: 9, fileBytes: 20 * MB },
  rejection: { rounds: 15 },
  start: { rounds: 9 },
  memory: { bytesPerSecond: 4 * MB, filesPerClient: 2 },
};

/** About a minute: shows that everything works, and the direction of the numbers. */
export const QUICK: Profile = {
  isQuick: true,
  concurrency: 16,
  warmUpSeconds: 0.25,
  sizes: SIZES.slice(0, 2),
  throughput: { rounds: 2, seconds: 0.4 },
  latency: { rounds: 1, seconds: 0.5 },
  initiate: { rounds: 2, seconds: 0.4 },
  cutThrough: { rounds: 1, fileBytes: 5 * MB },
  rejection: { rounds: 3 },
  start: { rounds: 1 },
  memory: { bytesPerSecond: 8 * MB, filesPerClient: 1 },
};

const UNITS: Readonly<Record<string, number>> = {
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KIB: 1024,
  MIB: 1024 ** 2,
  GIB: 1024 ** 3,
};
/** The fewest that a document may show. */
const FULL_ROUNDS = 5;

/** Printed by `--help`. */
export const USAGE = `npm run bench                                 everything, about fifteen minutes
npm run bench -- --quick                      everything in small, about a minute
npm run bench -- --only throughput,initiate   some of ${MEASUREMENTS.join(', ')}
  [--target ${OURS}] [--sizes 100KiB,5MB] [--rounds 9] [--seconds 2] [--concurrency 16]
  [--against ../other-checkout]               our server of another checkout, in the same rounds
npm run bench -- --check                      only proves that every target delivers what it gets
npm run bench -- --profile [--sizes 100KiB] [--only initiate]   a CPU profile of our server, into bench/results
npm run bench -- --readme                     writes the last results into the documents`;

/** @throws Error that says what is wrong with `args`; null when only the usage is wanted. */
export function parseOptions(args: readonly string[]): Options | null {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      profile: { type: 'boolean', default: false },
      readme: { type: 'boolean', default: false },
      check: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
      only: { type: 'string', multiple: true },
      target: { type: 'string', multiple: true },
      against: { type: 'string' },
      sizes: { type: 'string' },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      concurrency: { type: 'string' },
    },
  });
  if (values.help) return null;
  const count = (name: 'rounds' | 'seconds' | 'concurrency'): number | null =>
    values[name] === undefined ? null : parseCount(`--${name}`, values[name]);
  const rounds = count('rounds');
  const seconds = count('seconds');
  const profile = values.quick ? QUICK : FULL;
  const sizes = values.sizes ?? (values.profile ? '5MB' : null);
  const isShort =
    values.quick || [values.sizes, values.target, values.concurrency].some((value) => value !== undefined);
  return {
    task: values.check ? 'check' : values.profile ? 'profile' : values.readme ? 'readme' : 'measure',
    only: parseNames('--only', values.only, MEASUREMENTS),
    targets: [
      ...toTargets(values.target),
      ...(values.against === undefined ? [] : [otherCheckout(values.against)]),
    ],
    profile: {
      ...withRounds(profile, rounds, seconds),
      concurrency: count('concurrency') ?? profile.concurrency,
      sizes: sizes === null ? profile.sizes : sizes.split(',').map(parseSize),
    },
    isFull: !isShort && (rounds ?? FULL_ROUNDS) >= FULL_ROUNDS,
  };
}

function withRounds(profile: Profile, rounds: number | null, seconds: number | null): Profile {
  const change = <Kind extends { readonly rounds: number }>(kind: Kind): Kind => ({
    ...kind,
    ...(rounds !== null && { rounds }),
    ...(seconds !== null && 'seconds' in kind && { seconds }),
  });
  return {
    ...profile,
    throughput: change(profile.throughput),
    latency: change(profile.latency),
    initiate: change(profile.initiate),
    cutThrough: change(profile.cutThrough),
    rejection: change(profile.rejection),
    start: change(profile.start),
  };
}

function toTargets(wanted: readonly string[] | undefined): Target[] {
  const names = parseNames(
    '--target',
    wanted,
    TARGETS.map(({ name }) => name),
  );
  return TARGETS.filter(({ name }) => name === BASELINE || names.includes(name)).filter((target) =>
    target.isInstalled(),
  );
}

/** All of `known` where nothing is wanted. */
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
