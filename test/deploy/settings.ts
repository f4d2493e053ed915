import { loadConfig } from '../../server/config/config.ts';

/**
 * The problems of `settings` in production. The files of secrets that they name need not exist.
 *
 * @returns one line each; empty when the server would start.
 */
export function problemsOf(settings: Readonly<Record<string, string>>): readonly string[] {
  const names = Object.keys(settings).filter((name) => name.endsWith('_FILE'));
  const nameOf = (path: string): string => names.find((name) => settings[name] === path) ?? '';
  const loaded = loadConfig(
    { NODE_ENV: 'production', ...settings },
    {
      readFile: (path) =>
        nameOf(path) === 'REDIS_URL_FILE' ? 'redis://redis' : 'a-test-secret-of-more-than-32-characters',
    },
  );
  if (loaded.ok) return [];
  return loaded.problems.map(({ name, problem }) => `${name}: ${problem}`);
}
