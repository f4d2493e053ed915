import { ERROR_CODES, type ErrorCode } from '../errors/codes.ts';

/** Errors of every request. */
const EVERYWHERE = [
  'BAD_REQUEST',
  'REQUEST_TIMEOUT',
  'URI_TOO_LONG',
  'EXPECTATION_FAILED',
  'HEADERS_TOO_LARGE',
  'INTERNAL',
] as const satisfies readonly ErrorCode[];

/** Errors of every request under the base path. */
const API = [...EVERYWHERE, 'DRAINING'] as const satisfies readonly ErrorCode[];

/** Errors of every request that changes something. */
const CALLS = [
  ...API,
  'UNAUTHENTICATED',
  'ORIGIN_NOT_ALLOWED',
  'RATE_LIMITED',
] as const satisfies readonly ErrorCode[];

const JSON_BODY = [
  'BAD_JSON',
  'NOT_JSON',
  'UNSUPPORTED_ENCODING',
  'BODY_TOO_LARGE',
] as const satisfies readonly ErrorCode[];

const FORM = [
  'BAD_MULTIPART',
  'NOT_MULTIPART',
  'UNSUPPORTED_ENCODING',
  'BODY_TOO_LARGE',
  'UNEXPECTED_FILE_FIELD',
  'TOO_MANY_FILES',
] as const satisfies readonly ErrorCode[];

const FIELDS = [
  'MISSING_FIELD',
  'INVALID_FIELD',
  'DUPLICATE_FIELD',
  'LOCATION_NOT_ALLOWED',
] as const satisfies readonly ErrorCode[];

const FILE = [
  'EMPTY_FILE',
  'BAD_FILENAME',
  'SIZE_MISMATCH',
  'FILE_TOO_LARGE',
  'TYPE_NOT_ALLOWED',
  'TYPE_MISMATCH',
] as const satisfies readonly ErrorCode[];

const UPSTREAM = [
  'UPSTREAM_ERROR',
  'UPSTREAM_UNREACHABLE',
  'UPSTREAM_AUTH',
  'UPSTREAM_ABORTED',
  'UPSTREAM_REJECTED',
  'UPSTREAM_BUDGET',
  'UPSTREAM_TIMEOUT',
] as const satisfies readonly ErrorCode[];

const ONCE = ['IDEMPOTENCY_UNKNOWN', 'IDEMPOTENCY_MISMATCH'] as const satisfies readonly ErrorCode[];
const SLOT = ['TOO_MANY_UPLOADS', 'BUSY'] as const satisfies readonly ErrorCode[];
const TICKET = ['MISSING_FIELD', 'TICKET_INVALID', 'TICKET_EXPIRED'] as const satisfies readonly ErrorCode[];

/** The error codes of each operation. */
export const CODES_OF = {
  probe: EVERYWHERE,
  api: API,
  docs: [...API, 'RATE_LIMITED'],
  upload: [
    ...ONCE,
    ...CALLS,
    ...FORM,
    ...FIELDS,
    ...FILE,
    ...SLOT,
    ...UPSTREAM,
    'NO_FILE',
    'NOT_DELIVERABLE',
    'UPLOAD_REJECTED',
    'FILE_INFECTED',
    'SCAN_UNAVAILABLE',
    'FIELD_ORDER',
    'DIRECT_UNAVAILABLE',
    'STORAGE_REFUSED',
    'NOT_UPLOADED',
  ],
  initiate: [
    ...ONCE,
    ...CALLS,
    ...JSON_BODY,
    ...FORM,
    ...FIELDS,
    ...FILE,
    ...SLOT,
    ...UPSTREAM,
    'NOT_DELIVERABLE',
    'UPLOAD_REJECTED',
    'DIRECT_UNAVAILABLE',
  ],
  content: [
    ...CALLS,
    ...TICKET,
    ...SLOT,
    'UNSUPPORTED_ENCODING',
    'EMPTY_FILE',
    'SIZE_MISMATCH',
    'FILE_TOO_LARGE',
    'TYPE_NOT_ALLOWED',
    'TYPE_MISMATCH',
    'FILE_INFECTED',
    'SCAN_UNAVAILABLE',
    'STORAGE_REFUSED',
    'UPSTREAM_ERROR',
    'UPSTREAM_UNREACHABLE',
    'UPSTREAM_ABORTED',
    'UPSTREAM_TIMEOUT',
  ],
  signIn: [...CALLS, ...JSON_BODY, 'MISSING_FIELD', 'INVALID_FIELD', 'LOCATION_NOT_ALLOWED'],
  signOut: CALLS,
  complete: [
    ...ONCE,
    ...CALLS,
    ...JSON_BODY,
    ...TICKET,
    ...UPSTREAM,
    'INVALID_FIELD',
    'SIZE_MISMATCH',
    'DIRECT_UNAVAILABLE',
    'NOT_UPLOADED',
  ],
} as const satisfies Readonly<Record<string, readonly ErrorCode[]>>;

/** Statuses of Leadway that are passed on as `UPSTREAM_REJECTED`. */
export const PASSED_ON_STATUSES = [400, 404, 409, 411, 413, 415, 422, 423, 429] as const;

/** Every status that `code` can have. */
export function statusesOf(code: ErrorCode): readonly number[] {
  return code === 'UPSTREAM_REJECTED' ? PASSED_ON_STATUSES : [ERROR_CODES[code].status];
}
