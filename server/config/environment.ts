import { redactValue } from '../redaction.ts';
import type { ConfigProblem, Parser } from './parsers.ts';
import { type ReadFile, readSecretFile, showPath } from './secrets.ts';
import { ALL_NAMES, SETTING_NAMES, SETTINGS, type SettingName } from './settings.ts';

export type Values = { -readonly [Name in SettingName]: (typeof SETTINGS)[Name]['fallback'] };

/** What the environment says, each variable by itself. */
export interface Environment {
  /** The default stands in for a variable that is not set, and for a malformed one, which has a problem too. */
  readonly values: Values;
  /** Variables that are set, well-formed or not, themselves or as a file. */
  readonly given: ReadonlySet<SettingName>;
  /** Paths of the secrets that came as `X_FILE`, by `X`. */
  readonly files: ReadonlyMap<SettingName, string>;
  readonly problems: readonly ConfigProblem[];
  readonly warnings: readonly string[];
}

/** Reads the environment; nothing else does. An empty string counts as not set. */
export function readEnvironment(env: NodeJS.ProcessEnv, readFile: ReadFile): Environment {
  const values: Partial<Record<SettingName, unknown>> = {};
  const given = new Set<SettingName>();
  const files = new Map<SettingName, string>();
  const problems: ConfigProblem[] = [];

  for (const name of SETTING_NAMES) {
    const setting = SETTINGS[name];
    values[name] = setting.fallback;
    const alias = setting.alias ?? name;
    const { parse, example } = setting;
    const reading = { name: isSet(env[alias]) ? alias : name, env, readFile, parse, example };
    const found = 'secret' in setting ? readSecret(reading) : readPlain(reading);
    if (found === null) continue;
    given.add(name);
    if (found.file !== undefined) files.set(name, found.file);
    if ('problem' in found) problems.push(found.problem);
    else values[name] = found.value;
  }
  // Each name got what its own parser made, which the compiler can't follow through an index.
  return { values: values as Values, given, files, problems, warnings: warnOfUnknownNames(env) };
}

interface Reading {
  readonly name: string;
  readonly env: NodeJS.ProcessEnv;
  readonly readFile: ReadFile;
  readonly parse: Parser<unknown>;
  readonly example: string;
}

type Found = ({ readonly value: unknown } | { readonly problem: ConfigProblem }) & {
  readonly file?: string;
};

function readPlain({ name, env, parse, example }: Reading): Found | null {
  const raw = env[name];
  if (!isSet(raw)) return null;
  const parsed = parse(raw);
  if (parsed.ok) return { value: parsed.value };
  const came = showValue(parsed.part ?? raw);
  return { problem: { name, problem: parsed.problem, came, example: `${name}=${example}` } };
}

function readSecret({ name, env, readFile, parse, example }: Reading): Found | null {
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
  if (!text.ok) {
    return { file: path, problem: { name: fileName, problem: `${text.problem}: ${showPath(path)}` } };
  }
  const parsed = parse(text.value);
  if (parsed.ok) return { file: path, value: parsed.value };
  const problem = `the content of ${showPath(path)} ${parsed.problem} (value hidden)`;
  return { file: path, problem: { name: fileName, problem } };
}

function isSet(raw: string | undefined): raw is string {
  return raw !== undefined && raw !== '';
}

const LONGEST_SHOWN = 120;

/** The value as it may be printed: quoted, cut short, and without passwords in URLs or misplaced tokens. */
function showValue(value: string): string {
  const harmless = redactValue(value);
  return JSON.stringify(harmless.length > LONGEST_SHOWN ? `${harmless.slice(0, LONGEST_SHOWN)}…` : harmless);
}

/** Beginnings that only this program uses. */
const OUR_PREFIXES = ['LEADWAY_', 'FORWARD_', 'AUTH_JWT_', 'RATE_LIMIT_', 'TICKET_', 'UPSTREAM_'];

/** Kubernetes sets these for every service in the namespace, among them perhaps one named leadway-…. */
const SERVICE_LINK = /_SERVICE_(HOST|PORT)(_[A-Z0-9_]+)?$|_PORT(_\d+_(TCP|UDP|SCTP)(_[A-Z]+)?)?$/;

/** Other programs read these, and people set them together with those that we read. */
const OTHER_PROXY = /^(?:all|ftp|rsync|socks)_proxy$/i;

/** A sentence for each variable that is not a setting but was probably meant as one. */
function warnOfUnknownNames(env: NodeJS.ProcessEnv): string[] {
  const known = new Set(ALL_NAMES);
  return Object.keys(env)
    .filter((name) => isSet(env[name]) && !known.has(name))
    .filter((name) => !SERVICE_LINK.test(name) && !OTHER_PROXY.test(name))
    .flatMap((name) => {
      const meant = ALL_NAMES.find((candidate) => isSlipOf(name, candidate));
      if (meant !== undefined) return [`${name} is not a setting and has no effect; did you mean ${meant}?`];
      const looksOurs = OUR_PREFIXES.some((prefix) => name.startsWith(prefix));
      return looksOurs ? [`${name} is not a setting and has no effect`] : [];
    });
}

/** Short names are near to many words (HOST, POST): they get one slip, and the shortest none. */
function isSlipOf(name: string, known: string): boolean {
  const slips = known.length < 6 ? 0 : known.length < 10 ? 1 : 2;
  return Math.abs(name.length - known.length) <= slips && isWithin(slips, name, known);
}

/** Levenshtein's distance, row by row. The minimum of a row never falls below that of the row before. */
function isWithin(slips: number, a: string, b: string): boolean {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 0; i < a.length; i += 1) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j += 1) {
      const replaced = (row[j] ?? 0) + (a[i] === b[j] ? 0 : 1);
      next.push(Math.min(replaced, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    if (Math.min(...next) > slips) return false;
    row = next;
  }
  return (row[b.length] ?? 0) <= slips;
}
