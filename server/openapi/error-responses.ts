import type { ErrorCode } from '../errors/codes.ts';
import { MESSAGES } from '../errors/messages.ts';
import { statusesOf } from './error-codes-of.ts';
import { exampleOf } from './error-examples.ts';
import { ref } from './openapi-types.ts';

/** Statuses whose responses say when to come again. */
const RETRY_AFTER_STATUSES: ReadonlySet<number> = new Set([429, 503]);

/** The error responses of an operation that can meet `codes`, by status. */
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

/** The response with `status` that carries one of `codes`. */
export function errorResponse(status: number, codes: readonly ErrorCode[]): unknown {
  return {
    description: codes.map((code) => `\`${code}\`: ${sentenceOf(code)}`).join('\n\n'),
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

/** The sentence of `code`, with its places shown as such. */
function sentenceOf(code: ErrorCode): string {
  return MESSAGES[code].en.replace(/\{(\w+)\}/g, '*$1*');
}
