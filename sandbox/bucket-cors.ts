import type { IncomingHttpHeaders } from 'node:http';
import type { Settings } from './options.ts';

const METHODS = ['GET', 'HEAD', 'PUT', 'POST'];
const HEADERS = ['content-type', 'x-goog-resumable', 'x-goog-content-length-range'];
const MAX_AGE_SECONDS = 3600;

type Configuration = Pick<Settings, 'corsOrigins'>;

function allowedOrigin({ corsOrigins }: Configuration, origin: string | undefined): string | null {
  if (origin === undefined) return null;
  if (corsOrigins === '*') return '*';
  return corsOrigins.includes(origin) ? origin : null;
}

/** The CORS headers of a successful response. */
export function corsHeaders(settings: Configuration, request: IncomingHttpHeaders): Record<string, string> {
  const origin = allowedOrigin(settings, request.origin);
  if (origin === null) return {};
  return {
    'Access-Control-Allow-Origin': origin,
    'Access-Control-Expose-Headers': HEADERS.join(', '),
    Vary: 'Origin',
  };
}

/** The CORS headers of a preflight response: none unless origin, method and every header are configured. */
export function preflightHeaders(
  settings: Configuration,
  request: IncomingHttpHeaders,
): Record<string, string> {
  const origin = allowedOrigin(settings, request.origin);
  const method = request['access-control-request-method'] ?? '';
  const wanted = (request['access-control-request-headers'] ?? '')
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '');
  if (origin === null || !METHODS.includes(method) || !wanted.every((name) => HEADERS.includes(name)))
    return {};
  return {
    'Access-Control-Allow-Origin': origin,
    'Access-Control-Allow-Methods': METHODS.join(', '),
    'Access-Control-Allow-Headers': HEADERS.join(', '),
    'Access-Control-Max-Age': String(MAX_AGE_SECONDS),
    Vary: 'Origin',
  };
}
