import { orAbort } from './abortable.ts';
import type { Send } from './request.ts';
import type { ClientConfig } from './types.ts';

/** The server's `/config`, asked for once by however many uploads, and again after it failed. */
export interface ConfigSource {
  read(signal?: AbortSignal): Promise<ClientConfig>;
  /** It has turned out to be out of date. */
  forget(): void;
}

/** A source that asks with `send`. */
export function createConfigSource(send: Send): ConfigSource {
  let known: Promise<ClientConfig> | undefined;
  return {
    read(signal) {
      // Without the signal: others wait for the same answer.
      known ??= (send({ method: 'GET', path: '/config' }) as Promise<ClientConfig>).catch((error) => {
        known = undefined;
        throw error;
      });
      return orAbort(known, signal);
    },
    forget() {
      known = undefined;
    },
  };
}
