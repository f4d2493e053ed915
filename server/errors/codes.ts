/** The HTTP status of a code, and whether the very same request may succeed later. */
interface ErrorDefinition {
  readonly status: number;
  readonly retryable: boolean;
}

/**
 * Every error code of the public API, explained in `docs/errors.md`. The status of `UPSTREAM_REJECTED` may be another 4xx
 * of Leadway's, and that of `UPLOAD_REJECTED` is chosen by the embedding program.
 */
export const ERROR_CODES = {
  BAD_REQUEST: { status: 400, retryable: false },
  BAD_MULTIPART: { status: 400, retryable: false },
  BAD_JSON: { status: 400, retryable: false },
  MISSING_FIELD: { status: 400, retryable: false },
  INVALID_FIELD: { status: 400, retryable: false },
  DUPLICATE_FIELD: { status: 400, retryable: false },
  UNEXPECTED_FILE_FIELD: { status: 400, retryable: false },
  NO_FILE: { status: 400, retryable: false },
  TOO_MANY_FILES: { status: 400, retryable: false },
  EMPTY_FILE: { status: 400, retryable: false },
  BAD_FILENAME: { status: 400, retryable: false },
  SIZE_MISMATCH: { status: 400, retryable: false },
  FIELD_ORDER: { status: 400, retryable: false },
  UNAUTHENTICATED: { status: 401, retryable: false },
  ORIGIN_NOT_ALLOWED: { status: 403, retryable: false },
  LOCATION_NOT_ALLOWED: { status: 403, retryable: false },
  TICKET_INVALID: { status: 403, retryable: false },
  NOT_FOUND: { status: 404, retryable: false },
  NOT_UPLOADED: { status: 404, retryable: true },
  METHOD_NOT_ALLOWED: { status: 405, retryable: false },
  REQUEST_TIMEOUT: { status: 408, retryable: true },
  IDEMPOTENCY_UNKNOWN: { status: 409, retryable: false },
  TICKET_EXPIRED: { status: 410, retryable: false },
  FILE_TOO_LARGE: { status: 413, retryable: false },
  BODY_TOO_LARGE: { status: 413, retryable: false },
  URI_TOO_LONG: { status: 414, retryable: false },
  NOT_MULTIPART: { status: 415, retryable: false },
  NOT_JSON: { status: 415, retryable: false },
  UNSUPPORTED_ENCODING: { status: 415, retryable: false },
  TYPE_NOT_ALLOWED: { status: 415, retryable: false },
  TYPE_MISMATCH: { status: 415, retryable: false },
  EXPECTATION_FAILED: { status: 417, retryable: false },
  NOT_DELIVERABLE: { status: 422, retryable: false },
  UPLOAD_REJECTED: { status: 422, retryable: false },
  IDEMPOTENCY_MISMATCH: { status: 422, retryable: false },
  FILE_INFECTED: { status: 422, retryable: false },
  RATE_LIMITED: { status: 429, retryable: true },
  TOO_MANY_UPLOADS: { status: 429, retryable: true },
  HEADERS_TOO_LARGE: { status: 431, retryable: false },
  INTERNAL: { status: 500, retryable: false },
  DIRECT_UNAVAILABLE: { status: 502, retryable: false },
  UPSTREAM_ERROR: { status: 502, retryable: true },
  UPSTREAM_UNREACHABLE: { status: 502, retryable: true },
  UPSTREAM_AUTH: { status: 502, retryable: false },
  UPSTREAM_ABORTED: { status: 502, retryable: true },
  UPSTREAM_REJECTED: { status: 400, retryable: false },
  STORAGE_REFUSED: { status: 502, retryable: false },
  BUSY: { status: 503, retryable: true },
  DRAINING: { status: 503, retryable: true },
  SCAN_UNAVAILABLE: { status: 503, retryable: true },
  UPSTREAM_BUDGET: { status: 503, retryable: true },
  UPSTREAM_TIMEOUT: { status: 504, retryable: true },
} as const satisfies Record<string, ErrorDefinition>;

/** The `code` of an error response. */
export type ErrorCode = keyof typeof ERROR_CODES;
