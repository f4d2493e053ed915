/** The error codes of the server. A test keeps this list equal to the server's own. */
export const SERVER_ERROR_CODES = [
  'BAD_REQUEST',
  'BAD_MULTIPART',
  'BAD_JSON',
  'MISSING_FIELD',
  'INVALID_FIELD',
  'DUPLICATE_FIELD',
  'UNEXPECTED_FILE_FIELD',
  'NO_FILE',
  'TOO_MANY_FILES',
  'EMPTY_FILE',
  'BAD_FILENAME',
  'SIZE_MISMATCH',
  'FIELD_ORDER',
  'UNAUTHENTICATED',
  'ORIGIN_NOT_ALLOWED',
  'LOCATION_NOT_ALLOWED',
  'TICKET_INVALID',
  'NOT_FOUND',
  'NOT_UPLOADED',
  'METHOD_NOT_ALLOWED',
  'REQUEST_TIMEOUT',
  'IDEMPOTENCY_UNKNOWN',
  'TICKET_EXPIRED',
  'FILE_TOO_LARGE',
  'BODY_TOO_LARGE',
  'URI_TOO_LONG',
  'NOT_MULTIPART',
  'NOT_JSON',
  'UNSUPPORTED_ENCODING',
  'TYPE_NOT_ALLOWED',
  'TYPE_MISMATCH',
  'EXPECTATION_FAILED',
  'NOT_DELIVERABLE',
  'UPLOAD_REJECTED',
  'IDEMPOTENCY_MISMATCH',
  'FILE_INFECTED',
  'RATE_LIMITED',
  'TOO_MANY_UPLOADS',
  'HEADERS_TOO_LARGE',
  'INTERNAL',
  'DIRECT_UNAVAILABLE',
  'UPSTREAM_ERROR',
  'UPSTREAM_UNREACHABLE',
  'UPSTREAM_AUTH',
  'UPSTREAM_ABORTED',
  'UPSTREAM_REJECTED',
  'STORAGE_REFUSED',
  'BUSY',
  'DRAINING',
  'SCAN_UNAVAILABLE',
  'UPSTREAM_BUDGET',
  'UPSTREAM_TIMEOUT',
] as const;

/**
 * Errors of the client itself: the server was not reached (`NETWORK`), the browser has no network (`OFFLINE`), the
 * file on the disk has changed or is gone (`UNREADABLE`), the upload was cancelled (`ABORTED`), or there is no upload
 * server at the endpoint (`SERVER_NOT_FOUND`).
 */
export const LOCAL_ERROR_CODES = ['NETWORK', 'OFFLINE', 'ABORTED', 'UNREADABLE', 'SERVER_NOT_FOUND'] as const;

/**
 * Every error code: those of the server and those of the client itself.
 *
 * @example
 * ```ts
 * import type { UploadErrorCode } from 'leadway-bff-client';
 *
 * const help: Partial<Record<UploadErrorCode, string>> = { TYPE_NOT_ALLOWED: '/help/file-types' };
 * ```
 */
export type UploadErrorCode = (typeof SERVER_ERROR_CODES)[number] | (typeof LOCAL_ERROR_CODES)[number];

/**
 * The `details` of an error, by its code. Codes that are not listed have no details, or details for support only.
 *
 * @example
 * ```ts
 * import type { ErrorDetails } from 'leadway-bff-client';
 *
 * const describe = ({ limit, channel }: ErrorDetails['FILE_TOO_LARGE']) => `${limit} bytes on ${channel}`;
 * ```
 */
export interface ErrorDetails {
  readonly FILE_TOO_LARGE: {
    /** In bytes. */
    readonly limit: number;
    readonly channel?: string;
    readonly use?: 'direct';
  };
  readonly BODY_TOO_LARGE: { readonly limit?: number };
  readonly TYPE_NOT_ALLOWED: {
    readonly extension: string;
    readonly declared: string | null;
    readonly detected?: string | null;
    readonly allowed: readonly string[];
  };
  readonly TYPE_MISMATCH: {
    readonly extension: string;
    readonly declared: string | null;
    readonly detected: string | null;
  };
  readonly MISSING_FIELD: { readonly field?: string; readonly fields?: readonly string[] };
  readonly INVALID_FIELD: { readonly field?: string };
  readonly SIZE_MISMATCH: { readonly declared: number; readonly received: number };
  readonly DIRECT_UNAVAILABLE: { readonly use: 'forward' | 'relay' };
  readonly NOT_DELIVERABLE: {
    readonly reasons: readonly { readonly code: string; readonly file: string }[];
  };
  readonly FILE_INFECTED: { readonly signature?: string };
  readonly SERVER_NOT_FOUND: {
    /** What was found instead: nothing, a web page, another status, a redirect, or a response that CORS hides. */
    readonly reason: 'silent' | 'html' | 'status' | 'redirect' | 'cors';
    readonly url: string;
  };
}
