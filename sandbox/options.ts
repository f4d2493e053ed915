import { type FaultName, isFaultName } from './faults.ts';

/** The vendor's limits of requests per location, by kind of account; sandbox accounts have those of trial accounts. */
export const ACCOUNTS = {
  full: { max: 100, intervalMs: 10_000, daily: 200_000 },
  trial: { max: 25, intervalMs: 10_000, daily: 10_000 },
} as const;

export type Account = keyof typeof ACCOUNTS;

/** Whether there is an account of this kind. */
export function isAccount(name: string): name is Account {
  return Object.hasOwn(ACCOUNTS, name);
}

/** How the sandbox behaves; every option has a default that works out of the box. */
export interface SandboxOptions {
  /** Address to listen on. Default `127.0.0.1`. */
  host?: string;
  /** Port of the Leadway stand-in. Default 0: a free one. */
  port?: number;
  /** Port of the storage stand-in. Default 0: a free one. */
  storagePort?: number;
  /** Bearer token of the one location. Default `sandbox-token-not-a-secret`. */
  token?: string;
  /** Id of the one location. Default `sandboxLocation01`. */
  locationId?: string;
  /** Several locations, location id to token; replaces `token` and `locationId`. */
  tokens?: Readonly<Record<string, string>>;
  /** A fault for every request it applies to. Default none. */
  fault?: FaultName | null;
  /** Lifetime of signed URLs, in whole seconds (rounded up); 0 issues expired ones. Default 15 minutes. */
  urlTtlMs?: number;
  /** How long the slow faults take. Default 3 s. */
  slowMs?: number;
  /** Whose limits of requests apply. Default `full`: 100 in 10 s and 200,000 a day; `trial`: 25 and 10,000. */
  account?: Account;
  /** Limits of requests per location. Default those of `account`. */
  rateLimit?: { max: number; intervalMs: number; daily: number };
  /** Origins of the bucket's CORS configuration. Default `*`. */
  corsOrigins?: readonly string[] | '*';
  /** Leadway's own limit for the files of one upload. Default none, because the real one is unknown. */
  maxUploadBytes?: number;
  /** Status of a successful upload: 200 by the specification, 201 seen live. Default 200. */
  uploadStatus?: 200 | 201;
  /** Count and hash files but keep no contents. Default false. */
  discardFiles?: boolean;
  /** Contents kept in all; the oldest go first. Default 256 MiB. */
  maxStoredBytes?: number;
  /** Reads every request body no faster than this, with backpressure on the socket. Default unthrottled. */
  readBytesPerSecond?: number;
  /** Clock for signed URLs, rate limits and records. Default `Date.now`. */
  now?: () => number;
}

/** The options with their defaults in place. */
export interface Settings {
  readonly host: string;
  readonly port: number;
  readonly storagePort: number;
  /** Location id to token, in the order given. */
  readonly tokens: ReadonlyMap<string, string>;
  readonly fault: FaultName | null;
  readonly urlTtlMs: number;
  readonly slowMs: number;
  readonly rateLimit: { readonly max: number; readonly intervalMs: number; readonly daily: number };
  readonly corsOrigins: readonly string[] | '*';
  readonly maxUploadBytes: number;
  readonly uploadStatus: 200 | 201;
  readonly discardFiles: boolean;
  readonly maxStoredBytes: number;
  readonly readBytesPerSecond: number;
  readonly now: () => number;
}

/** What Leadway's ids look like, as far as is known. */
export const ID_PATTERN = /^[A-Za-z0-9_-]{1,64}$/;

const DEFAULT_TOKEN = 'sandbox-token-not-a-secret';
const DEFAULT_LOCATION = 'sandboxLocation01';

/** Fills in the defaults; a value that could never work is a `TypeError`. */
export function toSettings(options: SandboxOptions): Settings {
  const tokens = new Map(
    Object.entries(
      options.tokens ?? { [options.locationId ?? DEFAULT_LOCATION]: options.token ?? DEFAULT_TOKEN },
    ),
  );
  if (tokens.size === 0) throw new TypeError('tokens: expected at least one location');
  for (const [locationId, token] of tokens) {
    if (!ID_PATTERN.test(locationId))
      throw new TypeError(`locationId: expected 1 to 64 letters, digits, _ or -`);
    if (!/^[\x21-\x7e]+$/.test(token)) throw new TypeError('token: expected printable ASCII without spaces');
  }
  const { account = 'full' } = options;
  if (!isAccount(account)) throw new TypeError(`account: expected ${Object.keys(ACCOUNTS).join(' or ')}`);
  const fault = options.fault ?? null;
  if (fault !== null && !isFaultName(fault)) throw new TypeError(`fault: no fault is named "${fault}"`);
  return {
    host: options.host ?? '127.0.0.1',
    port: options.port ?? 0,
    storagePort: options.storagePort ?? 0,
    tokens,
    fault,
    urlTtlMs: options.urlTtlMs ?? 15 * 60_000,
    slowMs: options.slowMs ?? 3_000,
    rateLimit: options.rateLimit ?? ACCOUNTS[account],
    corsOrigins: options.corsOrigins ?? '*',
    maxUploadBytes: options.maxUploadBytes ?? Number.POSITIVE_INFINITY,
    uploadStatus: options.uploadStatus ?? 200,
    discardFiles: options.discardFiles ?? false,
    maxStoredBytes: options.maxStoredBytes ?? 256 * 1024 * 1024,
    readBytesPerSecond: options.readBytesPerSecond ?? Number.POSITIVE_INFINITY,
    now: options.now ?? Date.now,
  };
}
