import { unauthenticated } from '../errors/factories.ts';
import { type Authenticator, type AuthRequest, singleHeader } from './authenticator.ts';

/** Headers of an authenticating proxy. */
export interface HeaderClientOptions {
  /** Names the user. */
  readonly userHeader: string;
  /** Lists location ids between commas; null when every user may use all locations. */
  readonly locationsHeader: string | null;
}

/** A name without spaces at its ends and without control, format and unassigned characters. */
const USER = /^(?! )[^\p{C}\p{Zl}\p{Zp}]{1,256}(?<! )$/u;

/**
 * `AUTH=header`: believes the user header of an authenticating proxy such as oauth2-proxy or Authelia, from
 * its address only. A client that gets past the proxy could write any name there. Headers are compared by their
 * whole names: `X_Forwarded_User`, which a proxy may let pass, is another header here.
 */
export function createHeaderAuthenticator({
  userHeader,
  locationsHeader,
}: HeaderClientOptions): Authenticator {
  return {
    async authenticate(request) {
      const user = request.isFromTrustedProxy ? userOf(singleHeader(request, userHeader)) : null;
      if (user === null) throw unauthenticated();
      return {
        id: `user:${user}`,
        locations: locationsOf(request, locationsHeader),
        // Such proxies know their users by cookies, so the browser may have been made to send this too.
        isByCookie: request.headers.cookie !== undefined,
      };
    },
  };
}

/** Node reads header bytes as Latin-1; proxies write names in UTF-8. */
function userOf(value: string | null): string | null {
  try {
    const user = new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(value ?? '', 'latin1'));
    return USER.test(user) ? user : null;
  } catch {
    return null;
  }
}

function locationsOf(request: AuthRequest, header: string | null): ReadonlySet<string> | null {
  if (header === null) return null;
  const list = singleHeader(request, header) ?? '';
  return new Set(
    list
      .split(',')
      .map((id) => id.trim())
      .filter((id) => id !== ''),
  );
}
