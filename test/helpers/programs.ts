import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import process from 'node:process';

/** The path of the first of `names` that is on the PATH; undefined if there is none. */
export function findProgram(...names: readonly string[]): string | undefined {
  // Debian keeps its servers in sbin, which an ordinary user's PATH leaves out.
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin'];
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable);
}

/**
 * Skips what is running, a test or the suite of a `before` hook, if a program is missing, and says so loudly.
 *
 * @example
 * before(function () {
 *   needsPrograms(this, 'nginx', 'curl');
 * });
 */
export function needsPrograms(context: Mocha.Context, ...names: readonly string[]): void {
  const missing = names.filter((name) => findProgram(name) === undefined);
  if (missing.length === 0) return;
  // In a hook there is no test yet, or only the next one.
  const { test } = context;
  const title = test?.title.startsWith('"before') ? test.parent?.fullTitle() : test?.fullTitle();
  sayNotRun(`"${title}" needs ${missing.join(' and ')}`);
  context.skip();
}

/** Says that tests were not run, so that the result does not look better than it is. */
export function sayNotRun(what: string): void {
  const line = '!'.repeat(78);
  process.stderr.write(`\n${line}\nNOT RUN: ${what} (sh scripts/install-test-tools.sh)\n${line}\n\n`);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
