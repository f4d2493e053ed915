import { createHash } from 'node:crypto';
import type { SharedStore } from './shared-store.ts';

/** A Lua script that Redis runs atomically. */
export type Script = (
  store: SharedStore,
  keys: readonly string[],
  args: readonly (string | number)[],
) => Promise<unknown>;

/** Makes `source` callable; it is sent once and called by its digest from then on. */
export function defineScript(source: string): Script {
  const digest = createHash('sha1').update(source).digest('hex');
  return async function runScript(store, keys, args) {
    const rest = [String(keys.length), ...keys, ...args.map(String)];
    try {
      return await store.send('EVALSHA', digest, ...rest);
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error;
      return store.send('EVAL', source, ...rest);
    }
  };
}
