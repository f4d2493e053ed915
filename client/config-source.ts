import { orAbort } from './abortable.ts';
import type { Send } from './request.ts';
import type { ClientConfig } from './types.ts';

/** Leadway may take the direct way away and give it back, so what the server offers is asked again after that. */
const BELIEVED_MS = 5 * 60_000;

/** The server's `/config`, asked for once by however many uploads; again after it failed, and after some minutes. */
export interface ConfigSource {
  read(signal?: AbortSignal): Promise<ClientConfig>;
  /** It has turned out to be out of date. */
  forget(): void;
}

/** A source that asks with `send`. */
export function createConfigSource(send: Send): ConfigSource {
  let known: Promise<unknown>;
  let untilMs = 0;
  const forget = (): void => {
    untilMs = 0;
  };
  return {
    read(signal) {
      if (untilMs < Date.now()) {
        untilMs = Date.now() + BELIEVED_MS;
        // Without the signal: others wait for the same answer.
        known = send({ method: 'GET', path: '/config' });
        known.catch(forget);
      }
      return orAbort(known as Promise<ClientConfig>, signal);
    },
    forget,
  };
}
