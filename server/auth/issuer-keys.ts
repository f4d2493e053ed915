import { createRemoteJWKSet, customFetch, errors, type JWTVerifyGetKey } from 'jose';
import { z } from 'zod';
import type { UpstreamAgent } from '../leadway/agent.ts';
import type { Notice } from '../lifecycle.ts';
import type { Logger } from '../logger.ts';

/** The keys of a token issuer. */
export interface IssuerKeys extends Disposable {
  /** Rejects with {@link KeysUnavailable} when the issuer can't be asked, with jose's errors otherwise. */
  readonly find: JWTVerifyGetKey;
  /** Why this process is not ready: the keys have never been read. Null once they have. */
  problem(): Notice | null;
  /** What an operator should know: the keys are too old, and the issuer does not respond. */
  notice(): Notice | null;
}

/** Options of {@link createIssuerKeys}. */
export interface IssuerKeysOptions {
  readonly issuer: string;
  /** Null discovers it from the issuer. */
  readonly jwksUrl: URL | null;
  readonly fetchDocument: FetchDocument;
  readonly logger: Logger;
  readonly now?: () => number;
}

/** The issuer does not respond, or not with keys. */
export class KeysUnavailable extends Error {
  override readonly name = 'KeysUnavailable';
}

/** How long keys are trusted: the issuer may have withdrawn one since. */
const MAX_AGE_MS = 10 * 60_000;
/**
 * An unknown key id may mean that the issuer has a new key, so it is asked at once. A client can make up such ids, so it is
 * asked only so often.
 */
const LOOKUPS_IN_A_ROW = 5;
const LOOKUP_EVERY_MS = 2_000;
const RETRY_EVERY_MS = 1_000;
const PROBLEM = 'the keys of the token issuer can’t be read';

/**
 * Reads the keys at once, again when they are old, and when a token names one that is not among them. jose fetches
 * them, but we decide when: jose pauses for a fixed time after each fetch, so forged key ids could delay new keys.
 */
export function createIssuerKeys(options: IssuerKeysOptions): IssuerKeys {
  const { logger, now = Date.now } = options;
  const closed = new AbortController();
  const fetchDocument: FetchDocument = (url, { signal }) =>
    options.fetchDocument(url, { signal: AbortSignal.any([signal, closed.signal]) });
  let known: { readonly keys: RemoteKeys; readonly url: URL; readonly readAt: number } | null = null;
  let reading: Promise<JWTVerifyGetKey> | null = null;
  let triedAt = Number.NEGATIVE_INFINITY;
  let isDown = false;
  let down: Notice = { text: PROBLEM, detail: PROBLEM };
  let lookups = LOOKUPS_IN_A_ROW;
  let lookupsAt = now();

  const read = async (): Promise<JWTVerifyGetKey> => {
    try {
      const url = options.jwksUrl ?? (await discoverKeys(fetchDocument, options.issuer));
      const keys = known?.url.href === url.href ? known.keys : createRemoteKeys(url, fetchDocument);
      await keys.reload();
      known = { keys, url, readAt: now() };
      if (isDown) logger.info('the keys of the token issuer are read again');
      isDown = false;
      return keys;
    } catch (cause) {
      if (!isDown && !closed.signal.aborted) logger.error({ err: cause }, PROBLEM);
      isDown = true;
      down = {
        text: PROBLEM,
        detail: `${PROBLEM} from ${options.jwksUrl?.href ?? options.issuer}: ${reasonOf(cause)}`,
      };
      throw new KeysUnavailable(PROBLEM, { cause });
    }
  };
  /** Once for all requests that wait. */
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

  /** While the readiness probe keeps clients away, the probe itself tries again. */
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
      return down;
    },
    notice() {
      if (known === null || usable() !== null) return null;
      retry();
      return isDown ? down : null;
    },
    [Symbol.dispose]: () => closed.abort(),
  };
}

type RemoteKeys = ReturnType<typeof createRemoteJWKSet>;

/** For a failed request, the cause is more specific. */
function reasonOf(error: unknown): string {
  const { cause, message } = error instanceof Error ? error : new Error(String(error));
  return cause instanceof Error ? cause.message : message;
}

/** Keys that are read by `reload` alone. */
function createRemoteKeys(url: URL, fetchDocument: FetchDocument): RemoteKeys {
  return createRemoteJWKSet(url, {
    [customFetch]: fetchDocument,
    cacheMaxAge: Number.POSITIVE_INFINITY,
    cooldownDuration: Number.POSITIVE_INFINITY,
  });
}

const DISCOVERY_TIMEOUT_MS = 5_000;
const discovery = z.object({ issuer: z.string(), jwks_uri: z.url() });

/** OpenID Connect Discovery 1.0, section 4; the document must be the issuer's own. */
async function discoverKeys(fetchDocument: FetchDocument, issuer: string): Promise<URL> {
  const address = new URL(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`);
  const response = await fetchDocument(address.href, { signal: AbortSignal.timeout(DISCOVERY_TIMEOUT_MS) });
  const document = discovery.parse(await response.json());
  if (document.issuer !== issuer) throw new Error('the discovery document is of another issuer');
  const url = new URL(document.jwks_uri);
  if (url.protocol !== 'https:' && address.protocol === 'https:') {
    throw new Error('the discovery document names keys without https');
  }
  return url;
}

const TIMEOUT_MS = 5_000;
const MAX_BYTES = 256 * 1024;

/** Fetches a document with GET. */
export type FetchDocument = (url: string, options: { readonly signal: AbortSignal }) => Promise<Response>;

/**
 * Makes the `fetch` for the documents of an OpenID provider: bounded in time and size, and without redirects, which could
 * lead to an attacker's keys. It connects by the rules of all outbound requests.
 */
export function createIssuerFetch(agent: UpstreamAgent): FetchDocument {
  return async function fetchDocument(href, { signal }) {
    const url = new URL(href);
    const { status, body } = await agent.exchange({
      method: 'GET',
      url,
      path: `${url.pathname}${url.search}`,
      headers: [
        'Accept',
        'application/json, application/jwk-set+json',
        'Accept-Encoding',
        'identity',
        'User-Agent',
        'leadway-bff',
      ],
      body: null,
      timeoutMs: TIMEOUT_MS,
      signal,
      connection: 'pooled',
      maxBytes: () => MAX_BYTES,
    });
    if (body === null) throw new Error(`${url.origin}${url.pathname} is larger than ${MAX_BYTES} bytes`);
    if (status !== 200) throw new Error(`${url.origin}${url.pathname} responds with status ${status}`);
    return new Response(new Uint8Array(body));
  };
}
