import type { Parser } from './parsers.ts';
import { type ConfigProblem, showValue } from './problems.ts';
import { type ReadFile, readSecretFile, showPath } from './secret-file.ts';
import type { Setting } from './setting.ts';
import { warnOfUnknownNames } from './unknown-names.ts';
import { CALLER_VARIABLES } from './variables/auth.ts';
import { LEADWAY_VARIABLES } from './variables/leadway.ts';
import { SERVICE_VARIABLES } from './variables/service.ts';
import { UPLOAD_VARIABLES } from './variables/uploads.ts';

/** Every variable of the environment that means something to this program. */
export const VARIABLES = {
  ...SERVICE_VARIABLES,
  ...LEADWAY_VARIABLES,
  ...CALLER_VARIABLES,
  ...UPLOAD_VARIABLES,
};

export type VariableName = keyof typeof VARIABLES;

type Values = {
  readonly [Name in VariableName]: (typeof VARIABLES)[Name] extends Setting<infer T> ? T : never;
};

/** What the environment says, each variable taken by itself. */
export interface Environment {
  /** Defaults stand in for what is not set, and for what is malformed: then there is a problem too. */
  readonly values: Values;
  /** Variables that came, well-formed or not, themselves or as a file. */
  readonly given: ReadonlySet<VariableName>;
  /** Paths of the secrets that came as `X_FILE`, by `X`. */
  readonly files: ReadonlyMap<VariableName, string>;
  readonly problems: readonly ConfigProblem[];
  readonly warnings: readonly string[];
}

const NAMES = Object.keys(VARIABLES).filter((name): name is VariableName => name in VARIABLES);

/** The names that an environment may hold: the variables, and `X_FILE` for each secret `X`. */
export const ALL_NAMES: readonly string[] = NAMES.flatMap((name) =>
  'secret' in VARIABLES[name] ? [name, `${name}_FILE`] : [name],
);

/** Reads the environment, which nothing else does. An empty string counts as not set. */
export function readEnvironment(env: NodeJS.ProcessEnv, readFile: ReadFile): Environment {
  const values: Partial<Record<VariableName, unknown>> = {};
  const given = new Set<VariableName>();
  const files = new Map<VariableName, string>();
  const problems: ConfigProblem[] = [];

  for (const name of NAMES) {
    const { fallback, ...rest } = VARIABLES[name];
    values[name] = fallback;
    const alias = 'alias' in rest ? rest.alias : name;
    const reading = { name: isSet(env[alias]) ? alias : name, env, readFile, ...rest };
    const outcome = 'secret' in reading ? readSecret(reading) : readPlain(reading);
    if (outcome === null) continue;
    given.add(name);
    if (outcome.file !== undefined) files.set(name, outcome.file);
    if ('problem' in outcome) problems.push(outcome.problem);
    else values[name] = outcome.value;
  }

  const set = Object.keys(env).filter((name) => isSet(env[name]));
  return {
    // The loop gives every name what its own parser made, which the compiler can't follow through an index.
    values: values as Values,
    given,
    files,
    problems,
    warnings: warnOfUnknownNames(set, ALL_NAMES),
  };
}

interface Reading {
  readonly name: string;
  readonly env: NodeJS.ProcessEnv;
  readonly readFile: ReadFile;
  readonly parse: Parser<unknown>;
  readonly example: string;
}

type LogFields = ({ readonly value: unknown } | { readonly problem: ConfigProblem }) & {
  readonly file?: string;
};

function readPlain({ name, env, parse, example }: Reading): LogFields | null {
  const raw = env[name];
  if (!isSet(raw)) return null;
  const parsed = parse(raw);
  if (parsed.ok) return { value: parsed.value };
  const came = showValue(parsed.part ?? raw);
  return { problem: { name, problem: parsed.problem, came, example: `${name}=${example}` } };
}

function readSecret({ name, env, readFile, parse, example }: Reading): LogFields | null {
  const raw = env[name];
  const fileName = `${name}_FILE`;
  const path = env[fileName];
  if (!isSet(path)) {
    if (!isSet(raw)) return null;
    const parsed = parse(raw);
    if (parsed.ok) return { value: parsed.value };
    return { problem: { name, problem: `${parsed.problem} (value hidden)`, example: `${name}=${example}` } };
  }
  if (isSet(raw)) return { problem: { name, problem: `is set together with ${fileName}; keep one of them` } };
  const text = readSecretFile(path, readFile);
  if (!text.ok)
    return { file: path, problem: { name: fileName, problem: `${text.problem}: ${showPath(path)}` } };
  const parsed = parse(text.value);
  if (parsed.ok) return { file: path, value: parsed.value };
  const problem = `the content of ${showPath(path)} ${parsed.problem} (value hidden)`;
  return { file: path, problem: { name: fileName, problem } };
}

function isSet(raw: string | undefined): raw is string {
  return raw !== undefined && raw !== '';
}
