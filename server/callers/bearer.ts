import type { IncomingHttpHeaders } from 'node:http';
import { parseCookie } from 'cookie';

/** A proof of identity, and whether a browser sent it by itself. */
export interface Credential {
  readonly token: string;
  readonly isByCookie: boolean;
}

const BEARER = /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i;

/** The token in `Authorization: Bearer` (RFC 6750) or, failing that, in the cookie named `cookieName`. */
export function readCredential(headers: IncomingHttpHeaders, cookieName: string | null): Credential | null {
  if (headers.authorization !== undefined) {
    const token = BEARER.exec(headers.authorization)?.[1];
    return token === undefined ? null : { token, isByCookie: false };
  }
  const token = cookieName === null ? undefined : parseCookie(headers.cookie ?? '')[cookieName];
  return token === undefined || token === '' ? null : { token, isByCookie: true };
}
