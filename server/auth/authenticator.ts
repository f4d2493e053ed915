import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Notice } from '../lifecycle.ts';

/** Who sends a request, and where they may write. */
export interface Client {
  /** Distinct for every client; tickets, rate limits and upload slots are bound to it. */
  readonly id: string;
  /** Locations that the client may use; null for all that are configured. */
  readonly locations: ReadonlySet<string> | null;
  /** A browser sent the proof of identity by itself, so another site may have caused the request. */
  readonly isByCookie: boolean;
}

/** What is known of a request before its body. */
export interface AuthRequest {
  /** The request itself, for an embedding program. */
  readonly incoming: IncomingMessage;
  readonly headers: IncomingHttpHeaders;
  /** All values of each header, by its name in lower case. */
  readonly headersDistinct: NodeJS.Dict<string[]>;
  /** Stands for the address, by subnet. */
  readonly addressKey: string;
  /** Whether the connection comes from an address that `TRUST_PROXY` covers. */
  readonly isFromTrustedProxy: boolean;
}

/** Identifies clients: one implementation per value of `AUTH`. */
export interface Authenticator {
  /** @throws AppError `UNAUTHENTICATED`; `BUSY` when that is not known at the moment. */
  authenticate(request: AuthRequest): Promise<Client>;
  /** Why no client can sign in at the moment, for the readiness probe; null when they can. */
  problem?(): Notice | null;
  /** What an operator should know. */
  notice?(): Notice | null;
}

/**
 * The value of a header that came exactly once; null otherwise. If it came twice, the proxy appended instead of
 * replacing, and two servers might each trust a different one.
 */
export function singleHeader(
  { headersDistinct }: Pick<AuthRequest, 'headersDistinct'>,
  name: string,
): string | null {
  const [value, ...others] = headersDistinct[name.toLowerCase()] ?? [];
  return value === undefined || others.length > 0 ? null : value;
}
