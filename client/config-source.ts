import { orAbort } from './abortable.ts';
import type { ErrorFactory } from './messages.ts';
import type { Send } from './request.ts';
import type { ClientConfig } from './types.ts';

/** Leadway may stop offering direct uploads and offer them again, so the configuration is read again after this. */
const MAX_AGE_MS = 5 * 60_000;

/** The server's `/config`, requested once for all uploads, and again after a failure, some minutes, or in another language. */
export interface ConfigSource {
  read(signal?: AbortSignal): Promise<ClientConfig>;
  /** Discards what was read: it turned out to be out of date. */
  forget(): void;
}

/** Creates a source that requests the configuration with `send`. */
export function createConfigSource(send: Send, errors: ErrorFactory): ConfigSource {
  let config: Promise<unknown>;
  let validUntilMs = 0;
  let language = '';
  const forget = (): void => {
    validUntilMs = 0;
  };
  return {
    read(signal) {
      if (validUntilMs < Date.now() || language !== errors.language) {
        language = errors.language;
        validUntilMs = Date.now() + MAX_AGE_MS;
        // Without the signal: other uploads wait for the same response.
        config = send({ method: 'GET', path: '/config' });
        config.catch(forget);
      }
      return orAbort(config as Promise<ClientConfig>, signal);
    },
    forget,
  };
}
