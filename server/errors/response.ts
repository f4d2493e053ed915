import type { IncomingMessage, ServerResponse } from 'node:http';
import Negotiator from 'negotiator';
import { addLogFields } from '../http/log-fields.ts';
import { requestIdOf } from '../http/request-id.ts';
import { canRespond } from '../http/response-end.ts';
import type { AppError } from './app-error.ts';
import { LANGUAGES, type Language } from './messages.ts';

/** The JSON of an error response, a superset of Leadway's `{status, message}`. */
export interface ErrorBody {
  readonly status: number;
  readonly message: string;
  readonly code: string;
  readonly requestId: string;
  readonly retryable: boolean;
  readonly retryAfterMs?: number;
  readonly upstreamTraceId?: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** An error response, ready to be written to a response or to a bare socket. */
export interface ErrorResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Makes every error response: those of Express's error handler, of early rejections and on bare sockets. */
export function toErrorResponse(error: AppError, requestId: string, language: Language): ErrorResponse {
  const { retryAfterMs, upstreamTraceId, details, headers } = error.options;
  const content: ErrorBody = {
    status: error.status,
    message: error.messageIn(language),
    code: error.code,
    requestId,
    retryable: error.retryable,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
    ...(upstreamTraceId !== undefined && { upstreamTraceId }),
    ...(details !== undefined && { details }),
  };
  const body = JSON.stringify(content);
  return {
    status: error.status,
    headers: {
      'Content-Type': 'application/json; charset=utf-8',
      'Content-Length': String(Buffer.byteLength(body)),
      'Content-Language': language,
      'Cache-Control': 'no-store',
      'X-Request-Id': requestId,
      ...(retryAfterMs !== undefined && {
        'Retry-After': String(Math.max(1, Math.ceil(retryAfterMs / 1000))),
      }),
      ...headers,
    },
    body,
  };
}

/**
 * Sends `error` in response to `req`, unless a response has begun: the first one stands. The connection stays open, so
 * that a client that is still sending reads the response and not a reset.
 */
export function sendError(req: IncomingMessage, res: ServerResponse, error: AppError): void {
  if (!canRespond(res)) return;
  addLogFields(req, { error });
  const { status, headers, body } = toErrorResponse(error, requestIdOf(req), languageOf(req));
  res.statusCode = status;
  for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
  res.end(req.method === 'HEAD' ? undefined : body);
}

/** The language for `Accept-Language` (RFC 9110, section 12.5.4); English if none of the requested ones is available. */
export function chooseLanguage(acceptLanguage: string | undefined): Language {
  if (acceptLanguage === undefined) return 'en';
  const best = new Negotiator({ headers: { 'accept-language': acceptLanguage } }).language([...LANGUAGES]);
  return LANGUAGES.find((language) => language === best) ?? 'en';
}

const languages = new WeakMap<IncomingMessage, Language>();

/** The language of the response to `req`. Remembered, because the proxy replaces the headers of a request. */
export function languageOf(req: IncomingMessage): Language {
  const known = languages.get(req);
  if (known !== undefined) return known;
  const language = chooseLanguage(req.headers['accept-language']);
  languages.set(req, language);
  return language;
}
