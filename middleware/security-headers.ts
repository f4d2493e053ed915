import type { RequestHandler } from 'express';
import helmet from 'helmet';

/**
 * Sets helmet's headers on every response.
 *
 * @param hstsMaxAgeS Seconds of `Strict-Transport-Security`; 0 leaves the header to the proxy that terminates TLS.
 *   Never with subdomains, which this server can't decide about.
 */
export function createSecurityHeaders(hstsMaxAgeS: number): RequestHandler {
  return helmet({
    strictTransportSecurity: hstsMaxAgeS > 0 && { maxAge: hstsMaxAgeS, includeSubDomains: false },
  });
}
