import type { Authenticator, CallerRequest } from './caller.ts';
import { unauthenticated } from './unauthenticated.ts';

/** Headers of an authenticating proxy. */
export interface HeaderCallerOptions {
  /** Names the user. */
  readonly userHeader: string;
  /** Lists location ids between commas; null when every user may use all locations. */
  readonly locationsHeader: string | null;
}

const USER = /^[\x21-\x7e](?:[\x20-\x7e]{0,254}[\x21-\x7e])?$/;

/**
 * `AUTH=header`: believes the user header of an authenticating proxy such as oauth2-proxy or Authelia, from
 * its address only. Whoever gets past the proxy could write any name there.
 */
export function createHeaderAuthenticator({
  userHeader,
  locationsHeader,
}: HeaderCallerOptions): Authenticator {
  return {
    async authenticate(request) {
      const user = request.isFromTrustedProxy ? onlyValue(request, userHeader) : null;
      if (user === null || !USER.test(user)) throw unauthenticated();
      return { id: `user:${user}`, locations: locationsOf(request, locationsHeader), isByCookie: false };
    },
  };
}

function locationsOf(request: CallerRequest, header: string | null): ReadonlySet<string> | null {
  if (header === null) return null;
  const list = onlyValue(request, header) ?? '';
  return new Set(
    list
      .split(',')
      .map((id) => id.trim())
      .filter((id) => id !== ''),
  );
}

/** A header that came twice was added to, not set, by the proxy: then neither value can be believed. */
function onlyValue({ rawHeaders }: CallerRequest, name: string): string | null {
  const values = rawHeaders.filter(
    (_, index) => rawHeaders[index - 1]?.toLowerCase() === name.toLowerCase() && index % 2 === 1,
  );
  return values.length === 1 ? (values[0] ?? null) : null;
}
