import type { Spread } from './spread.ts';

/** One line of a result: a target, perhaps one of several variants, and what was found. */
export interface Row {
  readonly target: string;
  /** The size of the files, the number of connections …; null where there is only one. */
  readonly variant: string | null;
  readonly cells: readonly string[];
  /** What our server is held to; empty for others. */
  readonly verdicts: readonly Verdict[];
  /** The numbers behind the cells, for programs. */
  readonly values: Readonly<Record<string, number | Spread | null>>;
}

/** Whether a goal is met. */
export interface Verdict {
  readonly goal: string;
  readonly isMet: boolean;
}

/** What a measurement found. */
export interface Finding {
  readonly name: string;
  readonly title: string;
  /** How it was measured, in a sentence or two. */
  readonly method: string;
  /** What {@link Row.variant} is; null where there are none. */
  readonly variantColumn: string | null;
  readonly columns: readonly string[];
  readonly rows: readonly Row[];
  /** What has to be known to read the numbers. */
  readonly notes: readonly string[];
}

/** A verdict on `value`, which may be at most `most`; `unit` comes with its blank. */
export function atMost(what: string, value: number, most: number, unit = ''): Verdict {
  return { goal: `${what} ≤ ${most}${unit}`, isMet: value <= most };
}

/** A verdict on `value`, which must be at least `least`; `unit` comes with its blank. */
export function atLeast(what: string, value: number, least: number, unit = ''): Verdict {
  return { goal: `${what} ≥ ${least}${unit}`, isMet: value >= least };
}

/** The row of `target`, and of `variant` if given, in a finding. */
export function rowOf(finding: Finding, target: string, variant: string | null = null): Row | undefined {
  return finding.rows.find((row) => row.target === target && (variant === null || row.variant === variant));
}

/** The median of a value of a row; null where it has none. */
export function medianOf(row: Row | undefined, name: string): number | null {
  const value = row?.values[name] ?? null;
  return typeof value === 'object' && value !== null ? value.median : value;
}
