import { appError } from '../errors/app-error.ts';
import type { ErrorCode } from '../errors/codes.ts';
import { MESSAGES, type MessageKey, type MessageParams, sizeText } from '../errors/messages.ts';
import { toErrorResponse } from '../errors/response.ts';
import { ref } from './document.ts';
import { statusesOf } from './operation-errors.ts';

/** Statuses whose responses have `Retry-After`. */
const RETRY_AFTER_STATUSES: ReadonlySet<number> = new Set([429, 503]);

/** The error responses of an operation with these codes, by status. */
export function errorResponses(codes: readonly ErrorCode[]): Readonly<Record<string, unknown>> {
  const byStatus = new Map<number, Set<ErrorCode>>();
  for (const code of codes) {
    for (const status of statusesOf(code)) {
      byStatus.set(status, (byStatus.get(status) ?? new Set()).add(code));
    }
  }
  return Object.fromEntries(
    [...byStatus].map(([status, met]) => [`${status}`, errorResponse(status, [...met])]),
  );
}

/** The response with `status` and one of these codes. */
export function errorResponse(status: number, codes: readonly ErrorCode[]): unknown {
  return {
    description: codes.map((code) => `\`${code}\`: ${messageOf(code)}`).join('\n\n'),
    headers: {
      'X-Request-Id': ref('headers', 'RequestId'),
      'Content-Language': ref('headers', 'ContentLanguage'),
      ...(RETRY_AFTER_STATUSES.has(status) && { 'Retry-After': ref('headers', 'RetryAfter') }),
      ...(status === 405 && { Allow: ref('headers', 'Allow') }),
    },
    content: {
      'application/json': {
        schema: {
          allOf: [ref('schemas', 'Error')],
          type: 'object',
          properties: { status: { const: status }, code: { enum: codes } },
        },
        examples: Object.fromEntries(codes.map((code) => [code, { value: exampleOf(code, status) }])),
      },
    },
  };
}

/** The message of `code`, with its parameters in italics. */
function messageOf(code: ErrorCode): string {
  return MESSAGES[code].en.replace(/\{(\w+)\}/g, '*$1*');
}

/** Parameters of the messages, as for a picture in an SMS conversation. */
const PARAMS: MessageParams = {
  field: 'conversationId',
  filename: 'photo.jpg',
  expected: 'a JPEG picture',
  found: 'a PNG picture',
  extension: '.exe',
  allowed: 'JPG, JPEG, PNG, PDF',
  allow: 'POST',
  limit: sizeText(5_242_880),
  max: 5,
  seconds: 12,
};

/** The message shown if a code has several. */
const EXAMPLE_MESSAGES: Partial<Record<ErrorCode, MessageKey>> = { TYPE_MISMATCH: 'TYPE_MISMATCH.content' };

/** The `details`, by code. */
const DETAILS: Partial<Record<ErrorCode, Readonly<Record<string, unknown>>>> = {
  BAD_MULTIPART: { reason: 'truncated' },
  MISSING_FIELD: { field: 'conversationId' },
  INVALID_FIELD: { field: 'conversationId' },
  DUPLICATE_FIELD: { field: 'conversationId' },
  UNEXPECTED_FILE_FIELD: { field: 'conversationId' },
  FIELD_ORDER: { field: 'conversationId' },
  TOO_MANY_FILES: { max: 5 },
  EMPTY_FILE: { filename: 'photo.jpg' },
  SIZE_MISMATCH: { declared: 4096, received: 4000 },
  FILE_TOO_LARGE: { limit: 5_242_880, channel: 'SMS', use: 'direct' },
  BODY_TOO_LARGE: { limit: 5_242_880 },
  TYPE_NOT_ALLOWED: {
    extension: 'exe',
    declared: 'application/octet-stream',
    detected: 'application/x-msdownload',
    allowed: ['jpg', 'jpeg', 'png', 'pdf'],
  },
  TYPE_MISMATCH: { extension: 'jpg', declared: 'image/jpeg', detected: 'image/png' },
  FILE_INFECTED: { filename: 'photo.jpg', signature: 'Win.Test.EICAR_HDB-1' },
  DIRECT_UNAVAILABLE: { use: 'forward' },
  STORAGE_REFUSED: { storageStatus: 403 },
  UPSTREAM_ERROR: { upstreamStatus: 500 },
  UPSTREAM_AUTH: { upstreamStatus: 401 },
};

/** Codes that come with `Retry-After`. */
const WITH_RETRY_AFTER: ReadonlySet<ErrorCode> = new Set([
  'RATE_LIMITED',
  'TOO_MANY_UPLOADS',
  'BUSY',
  'DRAINING',
  'UPSTREAM_BUDGET',
]);

const REQUEST_ID = '6f1c2a34-9d0e-4b57-8a1f-0c3d5e7f9a2b';

/** The body of an error response with `code`, made like the real ones. */
function exampleOf(code: ErrorCode, status: number): unknown {
  const isPassedOn = code === 'UPSTREAM_REJECTED';
  const details = isPassedOn ? { upstreamStatus: status } : DETAILS[code];
  const waits = WITH_RETRY_AFTER.has(code) || (isPassedOn && status === 429);
  const message = EXAMPLE_MESSAGES[code];
  const error = appError(code, {
    ...(message !== undefined && { message }),
    params: PARAMS,
    status,
    ...(details !== undefined && { details }),
    ...(waits && { retryAfterMs: 12_000, retryable: true }),
  });
  return JSON.parse(toErrorResponse(error, REQUEST_ID, 'en').body);
}
