import { isIP, isIPv6 } from 'node:net';
import type { NextFunction, Request, RequestHandler, Response } from 'express';
import type { AppContext } from '../server/context.ts';
import { appError } from '../server/errors/app-error.ts';
import { noteRejectedOrigin } from './check-origin.ts';

/** Long enough for any host that somebody means. */
const MAX_SHOWN_CHARACTERS = 100;

/**
 * Rejects requests to a host that nobody gave this server, against DNS rebinding: a foreign page whose name suddenly
 * resolves to this machine is of the same origin, so that neither CORS nor the origin check stops it. Outside
 * production there is often no authentication to stop it either.
 *
 * Only the `Host` header counts. Such a page writes any other header as it likes, `X-Forwarded-Host` included, and
 * a browser on this machine may well be a trusted proxy by its address.
 */
export function createLocalHostCheck({ config }: Pick<AppContext, 'config'>): RequestHandler {
  const allowed = new Set(config.origins.allowed.map((origin) => new URL(origin).hostname));
  return function localHostCheck(req: Request, _res: Response, next: NextFunction) {
    const { host } = req.headers;
    // HTTP/1.0 may come without a Host, but not from a browser.
    if (host === undefined || isLocal(toHostname(host)) || allowed.has(toHostname(host))) return next();
    noteRejectedOrigin(req, `http://${host}`.toLowerCase());
    const params = { host: host.slice(0, MAX_SHOWN_CHARACTERS) };
    next(appError('ORIGIN_NOT_ALLOWED', { message: 'ORIGIN_NOT_ALLOWED.host', params }));
  };
}

/** The name or address in a well-formed `Host`: without port and the dot of a fully qualified name, in lower case. */
function toHostname(host: string): string {
  return host.replace(/:\d*$/, '').replace(/\.$/, '').toLowerCase();
}

/** An address can't be rebound, and browsers resolve `localhost` and its subdomains themselves. */
function isLocal(hostname: string): boolean {
  if (hostname.startsWith('[')) return isIPv6(hostname.slice(1, -1));
  return hostname === 'localhost' || hostname.endsWith('.localhost') || isIP(hostname) === 4;
}
