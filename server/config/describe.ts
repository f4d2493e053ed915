import { isInEffect } from './checks.ts';
import type { LoadedConfig } from './config.ts';
import type { ConfigProblem } from './parsers.ts';
import { SETTING_NAMES, SETTINGS, type SettingName } from './settings.ts';

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
