import { randomUUID } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { SandboxResponse } from './request-context.ts';

/** Leadway's usual error; validation errors have a list of messages. */
export function leadwayError(status: number, message: string | string[]): SandboxResponse {
  return {
    status,
    json: {
      statusCode: status,
      message,
      ...(status >= 400 && { error: STATUS_CODES[status] ?? 'Error' }),
      traceId: randomUUID(),
    },
  };
}

/** The other shape, of the upload endpoint's own rejections. */
export function uploadError(status: 400 | 413 | 415, message: string): SandboxResponse {
  return { status, json: { status, message } };
}

/**
 * An error as requests with `Version: v3` get it: `{error: {code, message, details}}`, with what is wrong with each field in the
 * details. Other responses stay as they are: their fields have the same names in all versions.
 */
export function toV3Response(response: SandboxResponse): SandboxResponse {
  const { status, json } = response;
  if (status < 400 || typeof json !== 'object' || json === null) return response;
  const { message, traceId = randomUUID() } = json as { message?: unknown; traceId?: string };
  const problems = Array.isArray(message) ? message : [];
  return {
    ...response,
    json: {
      error: {
        code: (STATUS_CODES[status] ?? 'Error').toUpperCase().replaceAll(/[^A-Z]+/g, '_'),
        message: problems.length > 0 ? 'Validation failed' : message,
        ...(problems.length > 0 && { details: problems.map((problem) => ({ message: problem })) }),
      },
      traceId,
    },
  };
}

/** A token that Leadway does not know. */
export const INVALID_JWT = 'Invalid JWT';
/** A token of a kind that the endpoint does not take. */
export const UNSUPPORTED_CLASS = 'This AuthClass is not yet supported';

/** The response to a path that Leadway does not have. */
export function noSuchEndpoint(method: string, path: string): SandboxResponse {
  return leadwayError(404, `Cannot ${method} ${path}`);
}
