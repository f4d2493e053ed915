import { existsSync } from 'node:fs';
import process from 'node:process';

/** The browsers that the project is tested in. */
export const BROWSERS = ['chromium', 'firefox'] as const;
export type BrowserKind = (typeof BROWSERS)[number];

/** The variable that names each browser, and where it may lie otherwise. */
const PLACES: Readonly<Record<BrowserKind, readonly [variable: string, ...paths: string[]]>> = {
  chromium: ['CHROMIUM', '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'],
  firefox: ['FIREFOX', '/usr/bin/firefox-esr', '/usr/bin/firefox'],
};

/** The path of a browser, or undefined; `hint` lists where it was looked for and which variable sets another path. */
export function findBrowser(kind: BrowserKind): { readonly path: string | undefined; readonly hint: string } {
  const [variable, ...usual] = PLACES[kind];
  const named = process.env[variable];
  const candidates = named === undefined || named === '' ? usual : [named];
  return {
    path: candidates.find((path) => existsSync(path)),
    hint: `There is none at ${candidates.join(' or ')}; ${variable}=/path names another.`,
  };
}
