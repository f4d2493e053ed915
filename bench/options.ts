import { parseArgs } from 'node:util';
import { BASELINE, OURS, TARGETS, type Target } from './targets.ts';

/** What `npm run bench -- …` was asked for. */
export interface Options {
  readonly sizes: readonly Size[];
  /** The baseline is always among them. */
  readonly targets: readonly Target[];
  readonly rounds: number;
  /** Bytes that each target carries in one round, about. */
  readonly roundBytes: number;
  readonly concurrency: number;
  /** Writes a CPU profile of our server instead of comparing. */
  readonly profile: boolean;
}

/** The size of a file, as it was named. */
export interface Size {
  readonly label: string;
  readonly bytes: number;
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
const MIB = 1024 ** 2;

/** Printed by `--help`. */
export const USAGE = `npm run bench -- [--quick] [--sizes 100KiB,5MB,100MB] [--target ${OURS}] [--rounds 9] [--concurrency 16]
npm run bench -- --profile [--sizes 5MB]     CPU profile of our server, into bench/results`;

/** @throws Error that says what is wrong with `args`; null when only the usage is wanted. */
export function parseOptions(args: readonly string[]): Options | null {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      profile: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
      sizes: { type: 'string' },
      target: { type: 'string', multiple: true },
      rounds: { type: 'string' },
      concurrency: { type: 'string', default: '16' },
    },
  });
  if (values.help) return null;
  const sizes = values.sizes ?? (values.profile ? '5MB' : '100KiB,5MB,100MB');
  return {
    sizes: sizes.split(',').map(parseSize),
    targets: TARGETS.filter(({ name }) => name === BASELINE || isWanted(name, values.target)),
    rounds: parseCount('--rounds', values.rounds ?? (values.quick ? '3' : '9')),
    roundBytes: (values.quick ? 512 : 1024) * MIB,
    concurrency: parseCount('--concurrency', values.concurrency),
    profile: values.profile,
  };
}

function isWanted(name: string, wanted: readonly string[] | undefined): boolean {
  const unknown = wanted?.find((one) => !TARGETS.some((target) => target.name === one));
  if (unknown !== undefined) {
    throw new Error(`--target ${unknown}: not one of ${TARGETS.map((target) => target.name).join(', ')}`);
  }
  return wanted === undefined || wanted.includes(name);
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
