import type { Config } from '../config/config.ts';
import type { Secrets } from '../config/secrets.ts';
import type { Logger } from '../logger.ts';
import { createAddressAuthenticator } from './address-caller.ts';
import type { Authenticator } from './caller.ts';
import { createHeaderAuthenticator } from './header-caller.ts';
import { createJwtAuthenticator } from './jwt-caller.ts';
import { createSessions, type Sessions } from './sessions.ts';

/** How callers are told apart by `AUTH`; `sessions` where they begin one here. */
export interface CallerServices {
  readonly authenticator: Authenticator;
  readonly sessions: Sessions | null;
}

/** Makes what `AUTH` asks for. */
export function createCallerServices({ auth }: Config, secrets: Secrets, logger: Logger): CallerServices {
  switch (auth.kind) {
    case 'none':
      return { authenticator: createAddressAuthenticator(), sessions: null };
    case 'jwt':
      return { authenticator: createJwtAuthenticator({ ...auth, logger }), sessions: null };
    case 'header':
      return { authenticator: createHeaderAuthenticator(auth), sessions: null };
    case 'sso': {
      const sessions = createSessions({
        sharedSecret: secrets.ssoSharedSecret?.reveal() ?? '',
        sessionSecrets: secrets.sessionSecrets.map((secret) => secret.reveal()),
        ttlMs: auth.sessionTtlMs,
      });
      return { authenticator: sessions, sessions };
    }
  }
}
