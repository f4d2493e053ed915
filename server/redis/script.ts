import { createHash } from 'node:crypto';
import type { SharedStore } from './store.ts';

/** Before every key, because a Redis may be shared with other programs. */
export const KEY_PREFIX = 'leadway-bff:';

/**
 * `id` as part of a key. The ids of clients have any length and script; they may be e-mail addresses or contain what a
 * cluster takes for a hash tag. A digest is short and plain, and does not say who it is.
 */
export function toKeyPart(id: string): string {
  return createHash('sha256').update(id).digest('base64url');
}

/** A Lua script that Redis runs atomically. */
export type Script = (
  store: SharedStore,
  keys: readonly string[],
  args: readonly (string | number)[],
) => Promise<unknown>;

/**
 * Gives scripts `now`, in milliseconds, by the clock of Redis: the clocks of replicas may differ.
 */
const PRELUDE = `
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
`;

/** Makes a script of `body`. It is sent in full only to a Redis that does not know it yet. */
export function defineScript(body: string): Script {
  const source = PRELUDE + body;
  const digest = createHash('sha1').update(source).digest('hex');
  return async function runScript(store, keys, args) {
    const rest = [String(keys.length), ...keys, ...args.map(String)];
    try {
      return await store.send('EVALSHA', digest, ...rest);
    } catch (error) {
      if (!isScriptMissing(error)) throw error;
      return store.send('EVAL', source, ...rest);
    }
  };
}

/** Whether Redis does not know the script, because it was restarted or its scripts were flushed. */
export function isScriptMissing(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('NOSCRIPT');
}
