import { type Environment, VARIABLES, type VariableName } from './env.ts';
import type { ConfigProblem } from './problems.ts';
import type { ReadFile } from './secret-file.ts';
import { isLoopback } from './web-address.ts';

/** What the cross-checks share: the variables read one by one, and the lists that they add to. */
export interface Checks {
  readonly environment: Environment;
  readonly production: boolean;
  readonly readFile: ReadFile;
  readonly problems: ConfigProblem[];
  readonly warnings: string[];
}

interface Particulars {
  /** A value that fits the situation better than the example of the table. */
  readonly example?: string;
  readonly came?: string;
}

/** Reports a variable whose value is well-formed and yet can't stand. */
export function report(checks: Checks, name: VariableName, problem: string, more: Particulars = {}): void {
  const example = `${name}=${more.example ?? VARIABLES[name].example}`;
  checks.problems.push({ name, problem, example, ...(more.came === undefined ? {} : { came: more.came }) });
}

/** Whether the variable has a problem of its own already, so that its value says nothing. */
export function isMalformed({ environment }: Checks, name: VariableName): boolean {
  return environment.problems.some((problem) => problem.name === name || problem.name === `${name}_FILE`);
}

/** The name by which a secret came: `X_FILE` or `X`. */
export function nameGiven({ environment }: Checks, name: VariableName): string {
  return environment.files.has(name) ? `${name}_FILE` : name;
}

/** Reports a variable that is set where nothing would read it. */
export function reportUnused(checks: Checks, name: VariableName, hint: string): void {
  if (!checks.environment.given.has(name)) return;
  const problem = `is set but would not be used: ${hint}`;
  checks.problems.push({ name: nameGiven(checks, name), problem });
}

/** Plain http is for this machine, and elsewhere for development only. */
export function checkTransport(checks: Checks, name: VariableName, url: URL, danger: string): void {
  if (url.protocol === 'https:' || isLoopback(url)) return;
  if (checks.production) report(checks, name, `must be https in production: ${danger}`);
  else checks.warnings.push(`${name} is plain http: ${danger}`);
}
