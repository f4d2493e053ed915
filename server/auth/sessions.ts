import { randomUUID } from 'node:crypto';
import { appError } from '../errors/app-error.ts';
import { unauthenticated } from '../errors/factories.ts';
import type { Logger } from '../logger.ts';
import { createSealer } from '../sealing.ts';
import type { Authenticator } from './authenticator.ts';
import { readCredential } from './credentials.ts';
import type { SessionStore } from './session-store.ts';
import { decryptSsoPayload, type SsoUser } from './sso-payload.ts';

/** A session that was begun. */
export interface Session {
  /** For the cookie or, where cookies are blocked, for `Authorization: Bearer`. */
  readonly token: string;
  readonly expiresAt: number;
  readonly locationId: string;
}

/** Sessions of users whom the CRM has signed in. */
export interface Sessions extends Authenticator {
  /**
   * Exchanges the encrypted user context of a custom page for a session in its location.
   *
   * @throws AppError `UNAUTHENTICATED` when it is not of the CRM, or was used too long ago or too often;
   *   `LOCATION_NOT_ALLOWED` when this server has no token for its location.
   */
  begin(payload: string): Promise<Session>;
  /** Ends the session of `token`, which is invalid from then on. */
  end(token: string): Promise<void>;
}

/** Options of {@link createSessions}. */
export interface SessionsOptions {
  readonly sharedSecret: string;
  readonly sessionSecrets: readonly string[];
  readonly ttlMs: number;
  /** The locations that this server has tokens for. */
  readonly locationIds: readonly string[];
  readonly store: SessionStore;
  readonly logger: Logger;
  readonly now?: () => number;
}

/** A page that reloads or opens twice sends the same context again, at about the same time. */
export const REUSE_WINDOW_MS = 60_000;
/** The first exchange included. */
export const MAX_USES = 5;

/** `AUTH=sso`: sealed, stateless sessions; only what was ended or used up is remembered. */
export function createSessions(options: SessionsOptions): Sessions {
  const { sharedSecret, sessionSecrets, ttlMs, locationIds, store, logger, now = Date.now } = options;
  if (sharedSecret === '') throw new TypeError('sessions need a shared secret');
  const sealer = createSealer('leadway-session', sessionSecrets);

  const assertFresh = async ({ digest, userId, activeLocation }: SsoUser): Promise<void> => {
    const { count, firstAt } = await store.countUse(digest);
    if (count === 1) return;
    const facts = { userId, activeLocation, count, afterMs: now() - firstAt };
    if (count <= MAX_USES && facts.afterMs <= REUSE_WINDOW_MS) {
      logger.info(facts, 'a user context was exchanged again');
      return;
    }
    logger.warn(facts, 'a user context was replayed and rejected');
    throw unauthenticated(true);
  };
  const open = async (token: string) => {
    const { jti, sub, locationId, expiresAt } = sealer.open(token) ?? {};
    const isWhole =
      typeof jti === 'string' &&
      typeof sub === 'string' &&
      typeof locationId === 'string' &&
      typeof expiresAt === 'number';
    if (!isWhole || expiresAt <= now() || (await store.hasEnded(jti))) return null;
    return { jti, sub, locationId, expiresAt };
  };

  return {
    async begin(payload) {
      const user = decryptSsoPayload(payload, sharedSecret);
      if (user === null) throw unauthenticated(true);
      await assertFresh(user);
      const { userId, activeLocation: locationId } = user;
      if (!locationIds.includes(locationId)) throw appError('LOCATION_NOT_ALLOWED');
      const expiresAt = now() + ttlMs;
      const token = sealer.seal({ jti: randomUUID(), sub: userId, locationId, expiresAt });
      return { token, expiresAt, locationId };
    },
    async end(token) {
      const session = await open(token);
      if (session !== null) await store.end(session.jti, session.expiresAt);
    },
    async authenticate(request) {
      const credential = readCredential(request, SESSION_COOKIE);
      if (credential === null) throw unauthenticated();
      const session = await open(credential.token);
      if (session === null) throw unauthenticated(true);
      return {
        id: `sso:${session.sub}`,
        locations: new Set([session.locationId]),
        isByCookie: credential.isByCookie,
      };
    },
  };
}

/** Name of the session cookie. The prefix makes browsers insist on Secure, Path=/ and no Domain. */
export const SESSION_COOKIE = '__Host-leadway-session';
