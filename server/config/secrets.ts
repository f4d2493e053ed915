import { inspect } from 'node:util';

const HIDDEN = '[secret]';

/** A value that no log line, error, JSON or template string can show by accident. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The value itself; call it where the secret is used and keep the result nowhere. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return HIDDEN;
  }

  toJSON(): string {
    return HIDDEN;
  }

  [inspect.custom](): string {
    return HIDDEN;
  }
}

/** The secrets of the process, apart from `Config` so that the configuration can be printed. */
export interface Secrets {
  /** The token of the single location; `file` is where to read it again when it came from a file. */
  readonly leadwayToken: { readonly value: Secret; readonly file: string | null } | null;
  /** Tokens by location id, from `LEADWAY_TOKENS_FILE`. */
  readonly locationTokens: { readonly file: string; readonly tokens: ReadonlyMap<string, Secret> } | null;
  /** The first seals, all open; empty when random ones are to be made. */
  readonly ticketSecrets: readonly Secret[];
  readonly sessionSecrets: readonly Secret[];
  readonly ssoSharedSecret: Secret | null;
  readonly redisUrl: Secret | null;
  /** They may hold a user and a password. */
  readonly httpsProxy: Secret | null;
  readonly httpProxy: Secret | null;
  /** Where those came from that were given as `X_FILE`: variable (without `_FILE`) to path. */
  readonly files: ReadonlyMap<string, string>;
}
