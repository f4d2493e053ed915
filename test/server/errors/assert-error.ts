import assert from 'node:assert/strict';
import { ERROR_CODES, type ErrorCode } from '../../../server/errors/codes.ts';
import type { ErrorBody } from '../../../server/errors/response.ts';

/** The parts of a response that every error response is held to. */
export interface ErrorResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: unknown;
}

/** Asserts that `response` is the contract's response for `code`, whole and well-formed; gives its body. */
export function assertError(response: ErrorResponse, code: ErrorCode): ErrorBody {
  const { status, headers } = response;
  const body = (typeof response.body === 'string' ? JSON.parse(response.body) : response.body) as ErrorBody;
  assert.equal(body.code, code, JSON.stringify(body));
  if (code !== 'UPSTREAM_REJECTED') {
    assert.equal(status, ERROR_CODES[code].status);
    assert.equal(body.retryable, ERROR_CODES[code].retryable);
  }
  assert.equal(body.status, status);
  assert.equal(typeof body.message, 'string');
  assert(!/[{}]/.test(body.message), `an unfilled place: ${body.message}`);
  assert(body.requestId.length > 0);
  assert.equal(headers['x-request-id'], body.requestId);
  assert.equal(headers['content-type'], 'application/json; charset=utf-8');
  assert.equal(headers['cache-control'], 'no-store');
  assert.match(String(headers['content-language']), /^(en|es)$/);
  assert.equal(Number(headers['content-length']), Buffer.byteLength(JSON.stringify(body)));
  if (body.retryAfterMs !== undefined) {
    assert.equal(Number(headers['retry-after']), Math.max(1, Math.ceil(body.retryAfterMs / 1000)));
  }
  return body;
}
