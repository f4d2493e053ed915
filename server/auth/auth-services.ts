import type { Config, Secrets } from '../config/config.ts';
import type { Embedding } from '../embedding.ts';
import { unauthenticated } from '../errors/factories.ts';
import type { UpstreamAgent } from '../leadway/agent.ts';
import type { Logger } from '../logger.ts';
import type { SharedStore } from '../redis/store.ts';
import type { Authenticator } from './authenticator.ts';
import { createHeaderAuthenticator } from './header.ts';
import { createIssuerFetch, createIssuerKeys } from './issuer-keys.ts';
import { createJwtAuthenticator } from './jwt.ts';
import { createLocalSessionStore, createSharedSessionStore } from './session-store.ts';
import { createSessions, type Sessions } from './sessions.ts';

/** The authenticator for `AUTH`, and the sessions for `AUTH=sso`. */
export interface AuthServices extends Disposable {
  readonly authenticator: Authenticator;
  readonly sessions: Sessions | null;
}

/** Options of {@link createAuthServices}. */
export interface AuthServicesOptions {
  /** Where replicas remember together; null for a process by itself. */
  readonly store: SharedStore | null;
  /** Fetches the keys of a token issuer. */
  readonly agent: UpstreamAgent;
  readonly logger: Logger;
}

/** Makes what `AUTH` asks for. */
export function createAuthServices(
  { auth, leadway }: Config,
  secrets: Secrets,
  { store, agent, logger }: AuthServicesOptions,
): AuthServices {
  const withoutSessions = (authenticator: Authenticator, end = () => {}): AuthServices => ({
    authenticator,
    sessions: null,
    [Symbol.dispose]: end,
  });
  switch (auth.kind) {
    case 'none':
      return withoutSessions(createAddressAuthenticator());
    case 'jwt': {
      const keys = createIssuerKeys({ ...auth, fetchDocument: createIssuerFetch(agent), logger });
      return withoutSessions(createJwtAuthenticator({ ...auth, keys, logger }), () => keys[Symbol.dispose]());
    }
    case 'header':
      return withoutSessions(createHeaderAuthenticator(auth));
    case 'sso': {
      const sessions = createSessions({
        sharedSecret: secrets.ssoSharedSecret?.reveal() ?? '',
        sessionSecrets: secrets.sessionSecrets.map((secret) => secret.reveal()),
        ttlMs: auth.sessionTtlMs,
        locationIds: leadway.locationIds,
        store: store === null ? createLocalSessionStore(Date.now) : createSharedSessionStore(store, Date.now),
        logger,
      });
      return { authenticator: sessions, sessions, [Symbol.dispose]: () => {} };
    }
  }
}

/** `AUTH=none`: every client that reaches the server may use it; clients are known by their address. */
function createAddressAuthenticator(): Authenticator {
  return {
    async authenticate({ addressKey }) {
      return { id: `ip:${addressKey}`, locations: null, isByCookie: false };
    },
  };
}

/** Users as the embedding program identifies them; replaces `AUTH`. */
export function createEmbeddedAuthenticator(
  authenticate: NonNullable<Embedding['authenticate']>,
): Authenticator {
  return {
    async authenticate({ incoming }) {
      const user = await authenticate(incoming);
      if (user === null) throw unauthenticated();
      const { id, locations } = user;
      if (typeof id !== 'string' || id === '')
        throw new TypeError('authenticate() returned a user without an id');
      if (locations !== 'all' && !Array.isArray(locations)) {
        throw new TypeError("authenticate() returned a user whose locations are neither a list nor 'all'");
      }
      return {
        id,
        locations: locations === 'all' ? null : new Set(locations),
        isByCookie: incoming.headers.cookie !== undefined, // it may have been the proof
      };
    },
  };
}
