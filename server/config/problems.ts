import { redactValue } from '../redaction.ts';

/** One thing wrong with the environment, without any secret in it. */
export interface ConfigProblem {
  /** The variable to change. */
  readonly name: string;
  /** What is wrong, to be read after the name: `must be a whole number from 0 to 65535`. */
  readonly problem: string;
  /** What came, as it may be shown; absent for secrets and for variables that are not set. */
  readonly came?: string;
  /** A `NAME=value` that would do. */
  readonly example?: string;
}

const LONGEST_SHOWN = 120;

/** The value as it may be printed: quoted, cut short, and without passwords in URLs or misplaced tokens. */
export function showValue(value: string): string {
  const harmless = redactValue(value);
  return JSON.stringify(harmless.length > LONGEST_SHOWN ? `${harmless.slice(0, LONGEST_SHOWN)}…` : harmless);
}

/** All problems in plain words, one per line. */
export function formatProblems(problems: readonly ConfigProblem[]): string {
  return problems
    .map(({ name, problem, came, example }) => {
      const got = came === undefined ? '' : `; got ${came}`;
      return `${name}: ${problem}${got}${example === undefined ? '' : `; for example ${example}`}`;
    })
    .join('\n');
}
