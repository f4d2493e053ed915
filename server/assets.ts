import { readFileSync } from 'node:fs';

/** Whether this is the bundle of `npm run build`, which has its assets beside it and browser modules without types. */
export const IS_BUNDLE = !import.meta.url.endsWith('.ts');

const HOME = new URL(IS_BUNDLE ? './' : '../', import.meta.url);

/** A folder of files that the server sends, such as `web/`. */
export function assetFolder(path: string): URL {
  return new URL(path, HOME);
}

/** The version of this program. */
export function packageVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  return (manifest as { version: string }).version;
}
