import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import { z } from 'zod';
import type { Logger } from '../logger.ts';
import type { FetchJson } from './fetch-json.ts';

/** The keys of a token issuer, as far as they are known. */
export interface IssuerKeys extends Disposable {
  /** Rejects with {@link KeysUnavailable} when the issuer can't be asked, with jose's errors otherwise. */
  readonly find: JWTVerifyGetKey;
  /** Why this process is not ready: the keys have never been read. Null once they have. */
  problem(): string | null;
  /** What an operator should know: keys that were read are too old, and the issuer is away. */
  notice(): string | null;
}

/** What {@link createIssuerKeys} takes. */
export interface IssuerKeysOptions {
  readonly issuer: string;
  /** Null: discovered from the issuer. */
  readonly jwksUrl: URL | null;
  readonly fetchJson: FetchJson;
  readonly logger: Logger;
  readonly now?: () => number;
}

/** The issuer does not respond, or not with keys. */
export class KeysUnavailable extends Error {
  override readonly name = 'KeysUnavailable';
}

/** A key that the issuer has taken back is believed for no longer than this. */
const MAX_AGE_MS = 10 * 60_000;
/**
 * A token with an unknown key id may mean that the issuer has a new key, so it is asked at once; anybody can
 * make such ids up, so it is asked only so often.
 */
const LOOKUPS_IN_A_ROW = 5;
const LOOKUP_EVERY_MS = 2_000;
const RETRY_EVERY_MS = 1_000;
const PROBLEM = 'the keys of the token issuer can’t be read';

/** Reads the keys at once, again when they are old, and when a token names one that is not among them. */
export function createIssuerKeys(options: IssuerKeysOptions): IssuerKeys {
  const { fetchJson, logger, now = Date.now } = options;
  const over = new AbortController();
  let known: { readonly keys: JWTVerifyGetKey; readonly readAt: number } | null = null;
  let reading: Promise<JWTVerifyGetKey> | null = null;
  let triedAt = Number.NEGATIVE_INFINITY;
  let isAway = false;
  let lookups = LOOKUPS_IN_A_ROW;
  let lookupsAt = now();

  const read = async (): Promise<JWTVerifyGetKey> => {
    try {
      const url = options.jwksUrl ?? (await discoverKeys(fetchJson, options.issuer, over.signal));
      // It checks the form by itself.
      const keys = createLocalJWKSet((await fetchJson(url, over.signal)) as JSONWebKeySet);
      known = { keys, readAt: now() };
      if (isAway) logger.info('the keys of the token issuer are read again');
      isAway = false;
      return keys;
    } catch (cause) {
      if (!isAway && !over.signal.aborted) logger.error({ err: cause }, PROBLEM);
      isAway = true;
      throw new KeysUnavailable(PROBLEM, { cause });
    }
  };
  /** Once for all who wait. */
  const readOnce = (): Promise<JWTVerifyGetKey> => {
    triedAt = now();
    reading ??= read().finally(() => {
      reading = null;
    });
    return reading;
  };
  const usable = (): JWTVerifyGetKey | null =>
    known !== null && now() - known.readAt < MAX_AGE_MS ? known.keys : null;
  const mayLookUp = (): boolean => {
    const earned = Math.floor((now() - lookupsAt) / LOOKUP_EVERY_MS);
    lookups = Math.min(LOOKUPS_IN_A_ROW, lookups + earned);
    lookupsAt += earned * LOOKUP_EVERY_MS;
    if (lookups === 0) return false;
    lookups -= 1;
    return true;
  };
  const readQuietly = (): void => {
    readOnce().catch(() => {});
  };

  /** No client comes while the readiness probe keeps them away, so the probe itself tries again. */
  const retry = (): void => {
    if (now() - triedAt >= RETRY_EVERY_MS) readQuietly();
  };

  readQuietly();
  return {
    async find(header, token) {
      const keys = usable() ?? (await readOnce());
      try {
        return await keys(header, token);
      } catch (error) {
        if (!(error instanceof errors.JWKSNoMatchingKey) || !mayLookUp()) throw error;
        return (await readOnce())(header, token);
      }
    },
    problem() {
      if (known !== null) return null;
      retry();
      return PROBLEM;
    },
    notice() {
      if (known === null || usable() !== null) return null;
      retry();
      return isAway ? PROBLEM : null;
    },
    [Symbol.dispose]: () => over.abort(),
  };
}

const discovery = z.object({ issuer: z.string(), jwks_uri: z.url() });

/** OpenID Connect Discovery 1.0, section 4; the document must be the issuer's own. */
async function discoverKeys(fetchJson: FetchJson, issuer: string, signal: AbortSignal): Promise<URL> {
  const address = new URL(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`);
  const document = discovery.parse(await fetchJson(address, signal));
  if (document.issuer !== issuer) throw new Error('the discovery document is of another issuer');
  const url = new URL(document.jwks_uri);
  if (url.protocol !== 'https:' && address.protocol === 'https:') {
    throw new Error('the discovery document names keys without https');
  }
  return url;
}
