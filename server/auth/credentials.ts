import { type AuthRequest, singleHeader } from './authenticator.ts';

/** A proof of identity, and whether a browser sent it by itself. */
export interface Credential {
  readonly token: string;
  readonly isByCookie: boolean;
}

type HeadersOfRequest = Pick<AuthRequest, 'headers' | 'headersDistinct'>;

const BEARER = /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i;

/**
 * The token in `Authorization: Bearer` (RFC 6750) or, without such a header, in the cookie named `cookieName`.
 * Null without one, and with two: an attacker that can add a second cookie (a page on a sister domain)
 * or header must not choose which one counts. Tokens in the address are never read, since addresses are logged.
 */
export function readCredential(request: HeadersOfRequest, cookieName: string | null): Credential | null {
  if (request.headers.authorization !== undefined) return fromHeader(request);
  return cookieName === null ? null : fromCookie(request, cookieName);
}

/** All credentials in a request, the effective one first, so that sign-out can end each. */
export function readCredentials(request: HeadersOfRequest, cookieName: string): readonly Credential[] {
  return [fromHeader(request), fromCookie(request, cookieName)].filter((found) => found !== null);
}

function fromHeader(request: HeadersOfRequest): Credential | null {
  const token = BEARER.exec(singleHeader(request, 'Authorization') ?? '')?.[1];
  return token === undefined ? null : { token, isByCookie: false };
}

function fromCookie({ headers }: HeadersOfRequest, name: string): Credential | null {
  const [token, ...others] = cookieValues(headers.cookie ?? '', name);
  return token === undefined || token === '' || others.length > 0 ? null : { token, isByCookie: true };
}

/** Tokens have no character that a cookie would have to encode, so values are taken as they stand. */
function cookieValues(header: string, name: string): string[] {
  return header
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1));
}
