import { readFileSync } from 'node:fs';
import type { ListenAddress } from '../http/listen.ts';
import { type Checks, crossCheck, isInEffect } from './checks.ts';
import { readEnvironment, type Values } from './environment.ts';
import type { ConfigProblem } from './parsers.ts';
import type { ReadFile, Secret } from './secrets.ts';
import { SETTING_NAMES, SETTINGS, type SettingName } from './settings.ts';

/** How clients authenticate: `AUTH` and the settings of the kind chosen. */
export type AuthConfig =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'jwt';
      /** Compared with `iss` to the letter, so a trailing slash counts. */
      readonly issuer: string;
      readonly audience: string;
      /** `null`: discovered from the issuer. */
      readonly jwksUrl: URL | null;
      readonly cookie: string | null;
      readonly locationsClaim: string;
    }
  | { readonly kind: 'header'; readonly userHeader: string; readonly locationsHeader: string | null }
  | { readonly kind: 'sso'; readonly sessionTtlMs: number };

/** What depends on more than one setting. */
interface DerivedConfig {
  /** `NODE_ENV` is `production`. */
  readonly production: boolean;
  readonly listen: ListenAddress;
  readonly admin: { readonly host: string; readonly port: number } | null;
  readonly leadway: {
    readonly baseUrl: URL;
    readonly apiVersion: string;
    /** The location of a client that names none. */
    readonly singleLocationId: string | null;
    readonly locationIds: readonly string[];
  };
  readonly sandbox: boolean;
  readonly auth: AuthConfig;
  /** Where traces are sent; null sends none. */
  readonly tracesUrl: URL | null;
}

interface DerivedSecrets {
  /** The token of the single location; `file` is its path, where it can be read again. */
  readonly leadwayToken: { readonly value: Secret; readonly file: string | null } | null;
  /** Tokens by location id, from `LEADWAY_TOKENS_FILE`. */
  readonly locationTokens: { readonly file: string; readonly tokens: ReadonlyMap<string, Secret> } | null;
}

export type Derived = DerivedConfig & DerivedSecrets;

/** `{ uploads: { maxFiles: T } }` for the key `uploads.maxFiles`. */
type Nested<Key, T> = Key extends `${infer Group}.${infer Rest}`
  ? { readonly [Name in Group]: Nested<Rest, T> }
  : { readonly [Name in Key & string]: T };

type ToIntersection<Union> = (Union extends unknown ? (part: Union) => void : never) extends (
  all: infer All,
) => void
  ? All
  : never;

type Table = typeof SETTINGS;
type SecretName = { [N in SettingName]: Table[N] extends { secret: true } ? N : never }[SettingName];
/** The values of the settings `Name`, at their keys. */
type AtKeys<Name extends SettingName> = ToIntersection<
  { [N in Name]: Table[N]['key'] extends string ? Nested<Table[N]['key'], Values[N]> : never }[Name]
>;

/** Every setting of the process, checked, completed and frozen, by the keys of the table; no secrets in it. */
export type Config = AtKeys<Exclude<SettingName, SecretName>> & DerivedConfig;

/** The secrets of the process, apart from `Config` so that the configuration can be printed. */
export type Secrets = AtKeys<SecretName> & DerivedSecrets;

export type LoadedConfig =
  | {
      readonly ok: true;
      readonly config: Config;
      readonly secrets: Secrets;
      readonly warnings: readonly string[];
      /** The settings by their names, as they were understood. */
      readonly values: Readonly<Values>;
      /** Paths of the secrets that came as `X_FILE`, by `X`. */
      readonly files: ReadonlyMap<SettingName, string>;
    }
  | { readonly ok: false; readonly problems: readonly ConfigProblem[] };

/** Reads, checks and completes the settings. Reports all problems together. */
export function loadConfig(
  env: NodeJS.ProcessEnv,
  options: { readonly readFile?: ReadFile } = {},
): LoadedConfig {
  const readFile = options.readFile ?? ((path: string) => readFileSync(path, 'utf8'));
  const environment = readEnvironment(env, readFile);
  const { values, files } = environment;
  const problems = [...environment.problems];
  const warnings = [...environment.warnings];
  const production = values.NODE_ENV === 'production';
  const checks: Checks = { values, environment, production, readFile, problems, warnings };

  const { leadwayToken, locationTokens, ...derived } = crossCheck(checks);
  if (problems.length > 0) return { ok: false, problems };

  const isSecret = (name: SettingName): boolean => 'secret' in SETTINGS[name];
  const config = Object.assign(
    atKeys(
      SETTING_NAMES.filter((name) => !isSecret(name)),
      values,
    ),
    derived,
  ) as Config;
  const secrets = Object.assign(atKeys(SETTING_NAMES.filter(isSecret), values), {
    leadwayToken,
    locationTokens,
  }) as Secrets;
  return { ok: true, config: freeze(config), secrets: freeze(secrets), warnings, values, files };
}

/** Puts each value at the key of its setting; the compiler can't follow that, and the types above say the same. */
function atKeys(names: readonly SettingName[], values: Values): object {
  const root: Record<string, unknown> = {};
  for (const name of names) {
    const path = SETTINGS[name].key?.split('.') ?? [];
    const last = path.pop();
    if (last === undefined) continue;
    let group = root;
    for (const part of path) {
      group[part] ??= {};
      group = group[part] as Record<string, unknown>;
    }
    group[last] = values[name];
  }
  return root;
}

function freeze<T extends object>(value: T): T {
  for (const part of Object.values(value)) {
    if (typeof part === 'object' && part !== null) freeze(part);
  }
  return Object.freeze(value);
}

type Loaded = Extract<LoadedConfig, { ok: true }>;

/** The settings as understood, one `NAME=value` per line and secrets hidden; those without effect are left out. */
export function describeConfig(loaded: Loaded): string {
  return SETTING_NAMES.filter((name) => isInEffect(name, loaded.values))
    .map((name) => `${name}=${showSetting(name, loaded)}`)
    .join('\n');
}

function showSetting(name: SettingName, { values, files, config, secrets }: Loaded): string {
  const file = files.get(name);
  if (file !== undefined) return `from file ${file}`;
  if (name === 'LEADWAY_BASE_URL' && config.sandbox) return 'the sandbox';
  if (name === 'LEADWAY_TOKENS_FILE' && secrets.locationTokens !== null) {
    return `from file ${secrets.locationTokens.file} (locations: ${config.leadway.locationIds.join(', ')})`;
  }
  const setting = SETTINGS[name];
  const value: unknown = values[name];
  if (value === null || (Array.isArray(value) && value.length === 0)) return setting.unsetText ?? 'not set';
  if (setting.show !== undefined) {
    // The value is what the parser of the same setting made.
    return setting.show(value as never);
  }
  if ('secret' in setting) return 'set';
  return typeof value === 'boolean' ? (value ? 'on' : 'off') : `${value}`;
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
