import { isIP, isIPv6 } from 'node:net';
import cors from 'cors';
import type { NextFunction, Request, RequestHandler, Response } from 'express';
import { toOriginUrl } from '../server/config/addresses.ts';
import type { AppContext } from '../server/context.ts';
import { appError } from '../server/errors/app-error.ts';
import { EXPOSED_HEADERS } from '../server/http/listener.ts';
import { addLogFields } from '../server/http/log-fields.ts';
import { isFromTrustedProxy, settingToTrust } from './forwarded.ts';

const PREFLIGHT_MAX_AGE_S = 600;

/**
 * The CORS headers of responses to pages of the listed origins; others get none. Preflights are handled by
 * {@link createPreflight}.
 */
export function createCors({ config }: Pick<AppContext, 'config'>): RequestHandler {
  const allowed = new Set(config.origins.allowed);
  const forListed = cors({
    origin: [...allowed],
    credentials: true,
    methods: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
    exposedHeaders: EXPOSED_HEADERS,
    maxAge: PREFLIGHT_MAX_AGE_S,
    preflightContinue: true,
  });
  return function corsHeaders(req: Request, res: Response, next: NextFunction) {
    if (allowed.has(req.get('Origin') ?? '')) return forListed(req, res, next);
    // Keeps caches from serving a response without CORS headers to a listed origin.
    res.setHeader('Vary', 'Origin'); // the first to say so
    next();
  };
}

/**
 * Responds to preflights before anything counts them: they are the browser's, not the client's. Any other OPTIONS
 * request, which has no `Origin`, is a call like any other.
 */
export function createPreflight(): RequestHandler {
  return function preflight(req: Request, res: Response, next: NextFunction) {
    if (req.method !== 'OPTIONS' || req.get('Origin') === undefined) return next();
    res.status(204).end();
  };
}

/**
 * Rejects requests that change something and come from a page of an origin that is not allowed. CORS does not do that:
 * a form can be posted to us without a preflight. A request without these headers is not from a browser.
 *
 * @see https://web.dev/articles/fetch-metadata
 */
export function checkOrigin({ config }: Pick<AppContext, 'config'>): RequestHandler {
  const allowed = new Set(config.origins.allowed);
  return function checkOrigin(req: Request, _res: Response, next: NextFunction) {
    if (isSafeMethod(req.method) || isOwnOrAllowed(req, allowed)) return next();
    const origin = req.get('Origin');
    noteRejectedOrigin(req, origin, wouldMatchForwardedHost(req, origin) ? settingToTrust(req) : undefined);
    next(appError('ORIGIN_NOT_ALLOWED'));
  };
}

/** Longer than any real host or origin. */
const MAX_LOGGED_CHARACTERS = 255;

/** Logs the requested host and the setting that would allow `origin`: by default to list it. */
function noteRejectedOrigin(req: Request, origin: string | undefined, setting?: string): void {
  const host = req.headers.host?.slice(0, MAX_LOGGED_CHARACTERS);
  const isListable = origin !== undefined && toOriginUrl(origin)?.origin === origin;
  const fix =
    setting ?? (isListable ? `ALLOWED_ORIGINS=${origin.slice(0, MAX_LOGGED_CHARACTERS)}` : undefined);
  addLogFields(req, { ...(host !== undefined && { host }), ...(fix !== undefined && { fix }) });
}

function isOwnOrAllowed(req: Request, allowed: ReadonlySet<string>): boolean {
  const site = req.get('Sec-Fetch-Site');
  const origin = req.get('Origin');
  if (origin !== undefined && allowed.has(origin)) return true;
  if (site !== undefined) return site === 'same-origin' || site === 'none';
  // HTTP/1.0 may come without a Host, and Express then has none.
  return origin === undefined || isHostOf(origin, req.host as string | undefined);
}

/**
 * For browsers without `Sec-Fetch-Site`: the page came from the host that this request came to. The scheme is not
 * compared: a TLS proxy in front need not forward it. HSTS keeps plain-http pages of our host away.
 */
function isHostOf(origin: string, host: string | undefined): boolean {
  if (host === undefined || !URL.canParse(origin)) return false;
  const { protocol, origin: written, host: originHost } = new URL(origin);
  // Browsers write an origin in one way only; whatever else can be parsed is not from one.
  if (written !== origin) return false;
  const address = `${protocol}//${host}`;
  return URL.canParse(address) && new URL(address).host === originHost;
}

/** Whether the page came from the host that a proxy has forwarded, which is ignored because the proxy is not trusted. */
function wouldMatchForwardedHost(req: Request, origin: string | undefined): boolean {
  if (origin === undefined || req.get('Sec-Fetch-Site') !== undefined || isFromTrustedProxy(req))
    return false;
  // Of several proxies, the first one has seen the page's host; Express takes that, too.
  return isHostOf(origin, req.get('X-Forwarded-Host')?.split(',')[0]?.trim());
}

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Whether a request by `method` only asks, so that no harm is done when another site made a browser send it.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-9.2.1
 */
export function isSafeMethod(method: string): boolean {
  return SAFE_METHODS.has(method);
}

/** Long enough for any real host. */
const MAX_SHOWN_CHARACTERS = 100;

/**
 * Rejects unknown `Host` names, against DNS rebinding: a page whose name suddenly resolves to this machine is
 * same-origin, so neither CORS nor the origin check stops it. Outside production there is often no authentication to
 * stop it either.
 *
 * Only the `Host` header counts. Such a page writes any other header as it likes, `X-Forwarded-Host` included, and a
 * browser on this machine may well be a trusted proxy by its address.
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
