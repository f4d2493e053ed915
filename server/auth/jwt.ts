import { errors, type JWTPayload, jwtVerify } from 'jose';
import { appError } from '../errors/app-error.ts';
import { unauthenticated } from '../errors/factories.ts';
import type { Logger } from '../logger.ts';
import type { Authenticator } from './authenticator.ts';
import { readCredential } from './credentials.ts';
import { type IssuerKeys, KeysUnavailable } from './issuer-keys.ts';

/** Whose tokens are taken, and how they are read. */
export interface JwtClientOptions {
  readonly issuer: string;
  readonly audience: string;
  /** Cookie that may carry the token instead of the `Authorization` header. */
  readonly cookie: string | null;
  readonly locationsClaim: string;
  readonly keys: IssuerKeys;
  readonly logger: Logger;
}

/**
 * Asymmetric signatures only: with a shared key, anyone who can verify tokens can forge them, and a public key could be
 * misused as a shared one. Keys come from the issuer alone; `jwk`, `jku` and `x5u` in a token are not read.
 */
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
/** Other tokens of the same issuer (logout, introspection, events) prove no identity (RFC 8725, 3.11). */
const TYPES: ReadonlySet<string> = new Set(['jwt', 'at+jwt', 'application/at+jwt']);
const CLOCK_TOLERANCE_S = 30;
const MAX_SUBJECT = 512;
const BUSY_RETRY_MS = 1_000;

/** `AUTH=jwt`: verifies a token of an OpenID provider (RFC 7519; OpenID Connect Core, section 3.1.3.7). */
export function createJwtAuthenticator(options: JwtClientOptions): Authenticator {
  const { issuer, audience, cookie, locationsClaim, keys, logger } = options;

  const verify = async (token: string): Promise<JWTPayload> => {
    try {
      const { payload, protectedHeader } = await jwtVerify(token, keys.find, {
        issuer,
        audience,
        algorithms: ALGORITHMS,
        clockTolerance: CLOCK_TOLERANCE_S,
        requiredClaims: ['sub', 'exp'],
      });
      if (!TYPES.has((protectedHeader.typ ?? 'JWT').toLowerCase())) {
        throw new errors.JWTClaimValidationFailed('unexpected type of token', payload, 'typ');
      }
      return payload;
    } catch (error) {
      if (error instanceof KeysUnavailable) {
        throw appError('BUSY', { cause: error, retryAfterMs: BUSY_RETRY_MS });
      }
      logger.info({ reason: reasonOf(error) }, 'a token was rejected');
      throw unauthenticated(true, error);
    }
  };

  return {
    async authenticate(request) {
      const credential = readCredential(request, cookie);
      if (credential === null) throw unauthenticated();
      const payload = await verify(credential.token);
      const subject: unknown = payload.sub;
      if (typeof subject !== 'string' || subject === '' || subject.length > MAX_SUBJECT) {
        throw unauthenticated(true);
      }
      const locations = toLocations(payload[locationsClaim]);
      return { id: `sub:${subject}`, locations, isByCookie: credential.isByCookie };
    },
    problem: () => keys.problem(),
    notice: () => keys.notice(),
  };
}

/** For the operator, who may have set another audience than the issuer gives: jose's code and the claim at fault. */
function reasonOf(error: unknown): string {
  if (error instanceof errors.JWTClaimValidationFailed) return `${error.code}: ${error.claim}`;
  return error instanceof errors.JOSEError ? error.code : String(error);
}

/** A list of ids, or one string with spaces or commas between them; none when there is no such claim. */
function toLocations(claim: unknown): ReadonlySet<string> {
  if (typeof claim === 'string') return new Set(claim.split(/[\s,]+/).filter((id) => id !== ''));
  return new Set(Array.isArray(claim) ? claim.filter((id): id is string => typeof id === 'string') : []);
}
