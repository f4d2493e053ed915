// @ts-check
import { lstatSync, mkdirSync } from 'node:fs';
import { constants, enableCompileCache } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';

/** Read, written and searched by its owner and by nobody else. */
const OWNER_ONLY = 0o700;

/**
 * Has Node keep what it makes of the sources, types stripped and compiled, for the next start. Where there is no
 * safe place for it, such as on a read-only disk, starting takes longer and nothing else changes.
 *
 * `NODE_COMPILE_CACHE` chooses another folder, `NODE_DISABLE_COMPILE_CACHE=1` does without.
 */
export function keepCompiledCode() {
  // Functions that come from the cache are told of less exactly by V8's coverage.
  if (process.env['NODE_V8_COVERAGE']) return;
  const folder = process.env['NODE_COMPILE_CACHE'] ?? ownFolder();
  if (folder === null) return;
  const { status, message } = enableCompileCache(folder);
  if (status === constants.compileCacheStatus.FAILED) process.emitWarning(`no compile cache: ${message}`);
}

/**
 * A folder of this user in the system's one for temporary files; null when there is none that is safe. Node runs
 * what it finds there, so a folder that somebody else made, or may write to, is not used.
 *
 * @returns {string | null}
 */
function ownFolder() {
  // Without user ids the system's folder is each user's own already.
  const user = process.getuid?.();
  const folder = join(tmpdir(), user === undefined ? 'leadway-bff' : `leadway-bff-${user}`);
  try {
    mkdirSync(folder, { recursive: true, mode: OWNER_ONLY });
    const { mode, uid } = lstatSync(folder);
    const isOwn = user === undefined || (uid === user && (mode & 0o777) === OWNER_ONLY);
    return isOwn && lstatSync(folder).isDirectory() ? folder : null;
  } catch {
    return null;
  }
}
