import {
  createRemoteJWKSet,
  customFetch,
  errors,
  type JWTPayload,
  type JWTVerifyGetKey,
  jwtVerify,
} from 'jose';
import { z } from 'zod';
import { appError } from '../errors/app-error.ts';
import type { Logger } from '../logger.ts';
import { readCredential } from './bearer.ts';
import type { Authenticator } from './caller.ts';
import { unauthenticated } from './unauthenticated.ts';

/** Whose tokens are taken, and how they are read. */
export interface JwtCallerOptions {
  readonly issuer: string;
  readonly audience: string;
  /** Null: discovered from the issuer. */
  readonly jwksUrl: URL | null;
  /** Cookie that may carry the token instead of the `Authorization` header. */
  readonly cookie: string | null;
  readonly locationsClaim: string;
  readonly logger: Logger;
}

/** Signatures by key pairs only: with a shared key, whoever can check a token could make one. */
const ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];
const CLOCK_TOLERANCE_S = 30;
const FETCH_TIMEOUT_MS = 5_000;
const MAX_CALLER_ID = 512;

/** `AUTH=jwt`: verifies a token of an OpenID provider (RFC 7519; OpenID Connect Core, section 3.1.3.7). */
export function createJwtAuthenticator(options: JwtCallerOptions): Authenticator {
  const { issuer, audience, cookie, locationsClaim, logger } = options;
  let keys: Promise<JWTVerifyGetKey> | null = null;
  let problem: string | null = null;

  const getKeys = (): Promise<JWTVerifyGetKey> => {
    keys ??= openKeys(options).catch((error: unknown) => {
      keys = null;
      throw error;
    });
    return keys;
  };

  return {
    async authenticate({ headers }) {
      const credential = readCredential(headers, cookie);
      if (credential === null) throw unauthenticated();
      let payload: JWTPayload;
      try {
        const verified = await jwtVerify(credential.token, await getKeys(), {
          issuer,
          audience,
          algorithms: ALGORITHMS,
          clockTolerance: CLOCK_TOLERANCE_S,
          requiredClaims: ['sub', 'exp'],
        });
        payload = verified.payload;
        problem = null;
      } catch (error) {
        if (isTokenProblem(error)) throw unauthenticated(error);
        problem = 'the keys of the token issuer can’t be read';
        logger.error({ err: error }, problem);
        throw appError('BUSY', { cause: error, retryAfterMs: 1_000 });
      }
      const id = `sub:${payload.sub}`;
      if (id.length > MAX_CALLER_ID) throw unauthenticated();
      return { id, locations: toLocations(payload[locationsClaim]), isByCookie: credential.isByCookie };
    },
    problem: () => problem,
  };
}

/** Everything that jose says about a token, in contrast to what it says about getting the keys. */
function isTokenProblem(error: unknown): boolean {
  return (
    error instanceof errors.JOSEError &&
    !(error instanceof errors.JWKSTimeout) &&
    !(error instanceof errors.JWKSInvalid) &&
    error.code !== 'ERR_JOSE_GENERIC'
  );
}

async function openKeys({ issuer, jwksUrl }: JwtCallerOptions): Promise<JWTVerifyGetKey> {
  const url = jwksUrl ?? (await discoverKeys(issuer));
  return createRemoteJWKSet(url, { timeoutDuration: FETCH_TIMEOUT_MS, [customFetch]: fetchWithoutRedirect });
}

const discovery = z.object({ issuer: z.string(), jwks_uri: z.url() });

/** OpenID Connect Discovery 1.0, section 4; the document must be the issuer's own. */
async function discoverKeys(issuer: string): Promise<URL> {
  const response = await fetchWithoutRedirect(
    `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`,
    {
      signal: AbortSignal.timeout(FETCH_TIMEOUT_MS),
      headers: { Accept: 'application/json' },
    },
  );
  if (!response.ok) throw new Error(`the issuer's discovery document answers ${response.status}`);
  const document = discovery.parse(await response.json());
  if (document.issuer !== issuer) throw new Error('the discovery document is of another issuer');
  const url = new URL(document.jwks_uri);
  if (url.protocol !== 'https:' && new URL(issuer).protocol === 'https:') {
    throw new Error('the discovery document names keys without https');
  }
  return url;
}

function fetchWithoutRedirect(url: string, init?: RequestInit): Promise<Response> {
  return fetch(url, { ...init, redirect: 'error' });
}

/** A list of ids, or one string with blanks or commas between them; none when there is no such claim. */
function toLocations(claim: unknown): ReadonlySet<string> {
  if (typeof claim === 'string') return new Set(claim.split(/[\s,]+/).filter((id) => id !== ''));
  return new Set(Array.isArray(claim) ? claim.filter((id): id is string => typeof id === 'string') : []);
}
