import { createHash, randomUUID } from 'node:crypto';
import { createSealer } from '../sealing.ts';
import { readCredential } from './bearer.ts';
import type { Authenticator } from './caller.ts';
import { decryptSsoPayload } from './sso-payload.ts';
import { unauthenticated } from './unauthenticated.ts';

/** Name of the session cookie. The prefix makes browsers insist on Secure, Path=/ and no Domain. */
export const SESSION_COOKIE = '__Host-leadway-session';

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
   * @throws AppError `UNAUTHENTICATED` when it is not of the CRM, or was used too long ago or too often.
   */
  begin(payload: string): Promise<Session>;
  /** Ends the session of `token`, which opens nothing from then on. */
  end(token: string): Promise<void>;
}

/** What {@link createSessions} takes. */
export interface SessionsOptions {
  readonly sharedSecret: string;
  readonly sessionSecrets: readonly string[];
  readonly ttlMs: number;
  readonly now?: () => number;
}

/** A page that reloads or opens twice sends the same context again, at about the same time. */
const REUSE_WINDOW_MS = 60_000;
const MAX_USES = 5;
/** The context carries no time, so used ones are remembered for as long as memory allows. */
const REMEMBERED_CONTEXTS = 100_000;

interface Use {
  readonly firstAt: number;
  count: number;
}

/** `AUTH=sso`: sealed, stateless sessions; only what was ended or used up is remembered. */
export function createSessions(options: SessionsOptions): Sessions {
  const { sharedSecret, sessionSecrets, ttlMs, now = Date.now } = options;
  const sealer = createSealer('leadway-session', sessionSecrets);
  const uses = new Map<string, Use>();
  const ended = new Map<string, number>();

  const countUse = (payload: string): boolean => {
    const key = createHash('sha256').update(payload).digest('base64');
    const use = uses.get(key) ?? { firstAt: now(), count: 0 };
    use.count += 1;
    uses.set(key, use);
    const [oldest] = uses.keys();
    if (uses.size > REMEMBERED_CONTEXTS && oldest !== undefined) uses.delete(oldest);
    return use.count <= MAX_USES && now() - use.firstAt <= REUSE_WINDOW_MS;
  };
  const forgetExpired = (): void => {
    for (const [id, expiresAt] of ended) if (expiresAt <= now()) ended.delete(id);
  };
  const open = async (token: string) => {
    const claims = await sealer.open(token);
    const { jti, sub, locationId, expiresAt } = claims ?? {};
    const isWhole =
      typeof jti === 'string' &&
      typeof sub === 'string' &&
      typeof locationId === 'string' &&
      typeof expiresAt === 'number';
    return isWhole && expiresAt > now() && !ended.has(jti) ? { jti, sub, locationId, expiresAt } : null;
  };

  return {
    async begin(payload) {
      const user = decryptSsoPayload(payload, sharedSecret);
      if (user === null || !countUse(payload)) throw unauthenticated();
      const { userId, activeLocation: locationId } = user;
      const expiresAt = now() + ttlMs;
      const token = await sealer.seal({ jti: randomUUID(), sub: userId, locationId, expiresAt });
      return { token, expiresAt, locationId };
    },
    async end(token) {
      const session = await open(token);
      if (session === null) return;
      forgetExpired();
      ended.set(session.jti, session.expiresAt);
    },
    async authenticate({ headers }) {
      const credential = readCredential(headers, SESSION_COOKIE);
      const session = credential && (await open(credential.token));
      if (credential === null || session === null) throw unauthenticated();
      return {
        id: `sso:${session.sub}`,
        locations: new Set([session.locationId]),
        isByCookie: credential.isByCookie,
      };
    },
  };
}
