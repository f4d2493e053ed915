import type { IncomingHttpHeaders } from 'node:http';
import { type AppError, type AppErrorOptions, appError } from '../errors/app-error.ts';
import { isJsonObject, type JsonObject, parseJsonObject } from '../json-object.ts';
import { redactMessage } from '../redaction.ts';

/** A response of Leadway's that is not a success. */
export interface LeadwayRejection {
  readonly status: number;
  /** As Leadway wrote it; a list of sentences is joined. Empty if there was none. */
  readonly message: string;
  readonly traceId: string | null;
  /** `Retry-After` in milliseconds, where Leadway sent one. */
  readonly retryAfterMs: number | null;
  /** A CDN or firewall responded with its own page: it says nothing about the token. */
  readonly isWebPage: boolean;
}

/** The three meanings of Leadway's 401. Another token fixes only the first. */
export type AuthProblem = 'bad-token' | 'missing-scope' | 'token-kind';

/** Which of the three a 401 is, from its message. */
export function toAuthProblem(rejection: LeadwayRejection): AuthProblem {
  if (/scope/i.test(rejection.message)) return 'missing-scope';
  if (/AuthClass|not yet supported/i.test(rejection.message)) return 'token-kind';
  return 'bad-token';
}

/** Whether Leadway rejects the token itself, so another one may work. */
export function isBadToken(rejection: LeadwayRejection): boolean {
  return rejection.status === 401 && !rejection.isWebPage && toAuthProblem(rejection) === 'bad-token';
}

/**
 * Whether Leadway itself, rather than a proxy in front of it, rejects an upload for its size: a proxy's 413 is not
 * JSON.
 */
export function isTooLarge({ status, isWebPage, message }: LeadwayRejection): boolean {
  return status === 413 && !isWebPage && message !== '';
}

/** What a request to Leadway is for: uploads, or a call as `PASSTHROUGH` lists it. */
export type LeadwayUse = 'uploads' | `${string} /${string}`;

/** What a rejection of the BFF's own token means for the operator. */
export interface Advice {
  /** Why Leadway rejected it; a sentence without its full stop, as `fix`. */
  readonly cause: string;
  readonly fix: string;
  /** Whether the token itself is invalid, for every call. */
  readonly isTokenInvalid: boolean;
}

/** What the log, the readiness probe and the self-test say about the token. */
const AUTH_PROBLEMS: Readonly<Record<AuthProblem, Omit<Advice, 'isTokenInvalid'>>> = {
  'bad-token': {
    cause: 'Leadway rejected the token: it is wrong, expired or revoked',
    fix: 'Put a valid one in LEADWAY_TOKEN',
  },
  'missing-scope': {
    cause: 'The Leadway token lacks the scope conversations/message.write',
    fix: 'Add it and use the new token',
  },
  'token-kind': {
    cause: 'Leadway does not take this kind of token here',
    fix: 'Use a Private Integration Token of the sub-account',
  },
};

/** What a rejection of the BFF's own token means; null for other rejections. */
export function adviceFor(rejection: LeadwayRejection, use: LeadwayUse): Advice | null {
  if (rejection.isWebPage) return null;
  if (rejection.status === 403) {
    return {
      cause: 'Leadway says that the token has no access to this location',
      fix: 'Check LEADWAY_LOCATION_ID and the token',
      isTokenInvalid: false,
    };
  }
  if (rejection.status !== 401) return null;
  const problem = toAuthProblem(rejection);
  const advice = { ...AUTH_PROBLEMS[problem], isTokenInvalid: problem === 'bad-token' };
  // The calls of `PASSTHROUGH` need their own scopes, which Leadway's documentation names with each.
  return problem === 'missing-scope' && use !== 'uploads'
    ? { ...advice, cause: `The Leadway token lacks the scope of ${use}, which PASSTHROUGH lists` }
    : advice;
}

/**
 * The rejection in a response with `status` and `body`. Leadway has three error shapes: `{statusCode, message, error}`, the
 * `{status, message}` of uploads, and the `{error: {code, message, details}}` of version v3 and OAuth.
 */
export function parseRejection(
  status: number,
  body: string,
  headers: Pick<IncomingHttpHeaders, 'content-type' | 'retry-after'>,
): LeadwayRejection {
  const retryAfterMs = parseRetryAfter(headers['retry-after']);
  const json = parseObject(body);
  const nested = isJsonObject(json['error']) ? json['error'] : {};
  const message = toSentence(json['message']) || toNestedSentence(nested);
  const traceId = toTraceId(json['traceId'] ?? nested['traceId']);
  const isWebPage = /\b(?:html|xml)\b/i.test(headers['content-type'] ?? '') || /^\s*</.test(body);
  return { status, message, traceId, retryAfterMs, isWebPage };
}

const DAY_MS = 24 * 60 * 60_000;
const MAX_RETRY_AFTER_MS = DAY_MS;
/** A longer wait than this is a mistake of the sender. */
const MAX_SENSIBLE_MS = 365 * DAY_MS;
/** `Date.parse` alone would read `45.3` as March 2045. */
const DATE = /^(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,? |\d{4}-\d\d-\d\dT)/i;

/**
 * Seconds, with decimals too, or a date (RFC 9110, section 10.2.3), in milliseconds from now, at most a day. Null for
 * anything else.
 */
export function parseRetryAfter(value: string | undefined): number | null {
  const text = value?.trim() ?? '';
  const ms = /^\d+(?:\.\d*)?$/.test(text)
    ? Math.ceil(Number(text) * 1000)
    : DATE.test(text)
      ? Math.max(0, Date.parse(text) - Date.now())
      : Number.NaN;
  return ms <= MAX_SENSIBLE_MS ? Math.min(ms, MAX_RETRY_AFTER_MS) : null;
}

/** For a 429 without `Retry-After`: Leadway's limits are counted per ten seconds. */
const RATE_INTERVAL_MS = 10_000;
/** A client that retries at once meets the same limit. */
const MIN_RETRY_AFTER_MS = 1_000;

/** The error for the client. `secrets` are values that must not appear in it. */
export function toClientError(
  rejection: LeadwayRejection,
  secrets: readonly string[],
  use: LeadwayUse = 'uploads',
): AppError {
  const { status, message, retryAfterMs } = rejection;
  const shared = {
    ...(rejection.traceId !== null &&
      isHarmless(rejection.traceId, secrets) && { upstreamTraceId: rejection.traceId }),
    details: { upstreamStatus: status },
  };
  if (isConversationMissing(rejection)) {
    return appError('UPSTREAM_REJECTED', { ...shared, status: 404, message: 'NOT_FOUND.conversation' });
  }
  const cleaned = redactMessage(message, secrets);
  const words = cleaned === '' ? {} : { upstreamMessage: cleaned };
  const wait = retryAfterMs === null ? null : Math.max(retryAfterMs, MIN_RETRY_AFTER_MS);
  switch (status) {
    case 401:
    case 403:
      return rejection.isWebPage ? toUpstreamError(rejection, shared) : appError('UPSTREAM_AUTH', shared);
    case 429:
      return appError('UPSTREAM_REJECTED', {
        ...shared,
        ...words,
        status,
        retryable: true,
        retryAfterMs: wait ?? RATE_INTERVAL_MS,
      });
    case 411:
      if (use === 'uploads') {
        return appError('UPSTREAM_REJECTED', { ...shared, message: 'UPSTREAM_REJECTED.length', status });
      }
      return appError('UPSTREAM_REJECTED', { ...shared, ...words, status });
    case 400:
    case 404:
    case 409:
    case 413:
    case 415:
    case 422:
    case 423:
      return appError('UPSTREAM_REJECTED', { ...shared, ...words, status });
    default:
      return toUpstreamError(rejection, {
        ...shared,
        ...(status >= 500 && wait !== null && { retryAfterMs: wait }),
      });
  }
}

/**
 * Whether `error` is what Leadway itself responded, so that it has not done what was requested. A 502 or 504 comes from a
 * gateway before it, as a web page does, and the request may have got through.
 */
export function cameFromLeadway({ options }: AppError): boolean {
  const status = options.details?.['upstreamStatus'];
  return typeof status === 'number' && status !== 502 && status !== 504 && options.cause === undefined;
}

/** A 4xx is not retryable: the same request would get it again. */
function toUpstreamError({ status, isWebPage }: LeadwayRejection, options: AppErrorOptions): AppError {
  const isFinal = status >= 400 && status < 500;
  return appError('UPSTREAM_ERROR', {
    ...options,
    ...(isFinal && { retryable: false, message: 'UPSTREAM_ERROR.final' }),
    ...(isWebPage && { cause: webPage() }),
  });
}

/** What the operator reads in the line of the request. */
function webPage(): Error {
  return new Error('the response is a web page and not JSON: it comes from a CDN or firewall before Leadway');
}

function isHarmless(traceId: string, secrets: readonly string[]): boolean {
  return secrets.every((secret) => !traceId.includes(secret));
}

/** Leadway responds with a 500 to a wrong conversation id, which is the client's error. */
export function isConversationMissing({ status, message }: LeadwayRejection): boolean {
  return status === 500 && /conversation with id .* not found/i.test(message);
}

/**
 * The error for a request to Leadway or storage that failed before its response was whole.
 *
 * @param wasConnected Whether the request had a connection at all.
 */
export function toConnectionFault(error: unknown, wasConnected: boolean): AppError {
  if (!wasConnected) return appError('UPSTREAM_UNREACHABLE', { cause: error });
  const code = (error as NodeJS.ErrnoException | null)?.code ?? '';
  if (TIMEOUTS.has(code)) return appError('UPSTREAM_TIMEOUT', { cause: error });
  return appError(BROKEN_CONNECTION.has(code) ? 'UPSTREAM_ABORTED' : 'UPSTREAM_ERROR', { cause: error });
}

const TIMEOUTS: ReadonlySet<string> = new Set(['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT']);
const BROKEN_CONNECTION: ReadonlySet<string> = new Set([
  'ECONNRESET',
  'EPIPE',
  'ECONNABORTED',
  'UND_ERR_SOCKET',
  'UND_ERR_ABORTED',
  // The connection ended in the middle of the response.
  'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
  'HPE_INVALID_EOF_STATE',
]);

/** Only an id passes: an upstream that echoes a header must not expose a token. */
function toTraceId(value: unknown): string | null {
  const isId = typeof value === 'string' && /^[A-Za-z0-9_.:-]{1,64}$/.test(value);
  return isId && !/^(?:pit-|eyJ)/i.test(value) ? value : null;
}

function toSentence(message: unknown): string {
  if (typeof message === 'string') return message;
  if (Array.isArray(message)) return message.filter((part) => typeof part === 'string').join('; ');
  return '';
}

/** What is wrong with which field is in `details`. */
function toNestedSentence({ message, details, code }: JsonObject): string {
  const reasons = Array.isArray(details)
    ? details.map((detail) => toSentence(isJsonObject(detail) ? detail['message'] : detail))
    : [];
  const sentences = [toSentence(message), ...reasons].filter((sentence) => sentence !== '');
  return sentences.join('; ') || toSentence(code);
}

function parseObject(body: string): JsonObject {
  try {
    return parseJsonObject(body);
  } catch {
    return {};
  }
}
