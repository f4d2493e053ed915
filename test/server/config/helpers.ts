import assert from 'node:assert/strict';
import { type LoadedConfig, loadConfig } from '../../../server/config/config.ts';
import type { ConfigProblem } from '../../../server/config/parsers.ts';

type Env = Readonly<Record<string, string>>;
type Files = Readonly<Record<string, string>>;
export type Accepted = Extract<LoadedConfig, { ok: true }>;

export const TOKEN = 'pit-11111111-2222-3333-4444-555555555555';
export const SEALING = 'a-sealing-secret-of-forty-characters-012';

/** What production needs at the least. */
export const PRODUCTION: Env = {
  NODE_ENV: 'production',
  AUTH: 'none',
  LEADWAY_TOKEN: TOKEN,
  LEADWAY_LOCATION_ID: 'loc1',
};

export function load(env: Env, files: Files = {}): LoadedConfig {
  return loadConfig(env, {
    readFile(path) {
      const text = files[path];
      if (text === undefined)
        throw Object.assign(new Error(`ENOENT: no such file, open '${path}'`), { code: 'ENOENT' });
      return text;
    },
  });
}

export function accept(env: Env, files: Files = {}): Accepted {
  const loaded = load(env, files);
  assert.deepEqual(loaded.ok ? [] : loaded.problems, []);
  assert(loaded.ok);
  return loaded;
}

export function reject(env: Env, files: Files = {}): readonly ConfigProblem[] {
  const loaded = load(env, files);
  assert(!loaded.ok, `accepted ${JSON.stringify(env)}`);
  return loaded.problems;
}

/** Asserts that exactly these variables have a problem, in any order. */
export function assertRejected(
  env: Env,
  names: readonly string[],
  files: Files = {},
): readonly ConfigProblem[] {
  const problems = reject(env, files);
  assert.deepEqual(problems.map(({ name }) => name).sort(), [...names].sort(), JSON.stringify(problems));
  return problems;
}
