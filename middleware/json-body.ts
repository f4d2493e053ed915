import express, { type NextFunction, type Request, type RequestHandler, type Response } from 'express';
import { type AppError, appError } from '../server/errors/app-error.ts';
import { letBodyCome } from '../server/http/continue.ts';
import { hasMoreValuesThan } from '../server/passthrough/value-count.ts';

const MAX_BYTES = 1024 * 1024;

/** With a reviver each value costs its call: with so many of them, some 40 ms in all. */
const MAX_REVIVED_VALUES = 50_000;
/** The `type` of the error for more, beside those of body-parser. */
const TOO_MANY_VALUES = 'leadway.values';

/**
 * Reads a JSON object into `req.body`: `application/json`, UTF-8, at most 1 MiB, without a coding.
 *
 * @param reviver For JSON.parse; a body may have 50,000 values then.
 */
export function createJsonBody(reviver?: (key: string, value: unknown) => unknown): RequestHandler {
  const parse = express.json({
    limit: MAX_BYTES,
    inflate: false,
    type: () => true, // it was looked at before
    ...(reviver !== undefined && { reviver, verify: assertFewValues }),
  });
  return function jsonBody(req: Request, res: Response, next: NextFunction) {
    const encoding = req.headers['content-encoding'];
    if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
      return next(appError('UNSUPPORTED_ENCODING'));
    }
    if (req.is('application/json') !== 'application/json') return next(appError('NOT_JSON'));
    if (!isUtf8(req.headers['content-type'] ?? '')) return next(appError('NOT_JSON'));
    if (Number(req.headers['content-length'] ?? 0) > MAX_BYTES) return next(bodyTooLarge());
    letBodyCome(req, res);
    let isOver = false;
    parse(req, res, (error?: unknown) => {
      if (isOver) return;
      isOver = true;
      if (error !== undefined) return next(fromBodyParser(error));
      const isObject = typeof req.body === 'object' && req.body !== null && !Array.isArray(req.body);
      next(isObject ? undefined : appError('BAD_JSON'));
    });
    // body-parser reads a body of unknown length to its end before it says that it was too long.
    let bytes = 0;
    req.on('data', function count(chunk: Buffer) {
      bytes += chunk.length;
      if (bytes <= MAX_BYTES || isOver) return;
      isOver = true;
      req.off('data', count);
      next(bodyTooLarge());
    });
  };
}

/** JSON is UTF-8 (RFC 8259, section 8.1). In UTF-7 or UTF-16 it would be other text to a filter in front. */
function isUtf8(contentType: string): boolean {
  const charsets = contentType.match(/;\s*charset\s*=[^;]*/gi) ?? [];
  return charsets.every((charset) => /=\s*"?utf-8"?\s*$/i.test(charset));
}

function bodyTooLarge(): AppError {
  return appError('BODY_TOO_LARGE', { params: { limit: MAX_BYTES }, details: { limit: MAX_BYTES } });
}

/** Runs on the bytes of the body, before they are parsed. */
function assertFewValues(_req: unknown, _res: unknown, body: Buffer): void {
  if (!hasMoreValuesThan(body, MAX_REVIVED_VALUES)) return;
  throw Object.assign(new Error('the body has too many values'), { type: TOO_MANY_VALUES });
}

/** body-parser's errors by their documented `type`. */
function fromBodyParser(error: unknown): AppError {
  const { type } = error as { type?: string };
  switch (type) {
    case 'entity.too.large':
      return bodyTooLarge();
    case 'entity.parse.failed':
    case 'entity.verify.failed':
      return appError('BAD_JSON', { cause: error });
    case TOO_MANY_VALUES:
      return appError('BAD_JSON', {
        message: 'BAD_JSON.values',
        params: { limit: MAX_REVIVED_VALUES },
        details: { limit: MAX_REVIVED_VALUES },
      });
    case 'charset.unsupported':
      return appError('NOT_JSON', { cause: error });
    case 'encoding.unsupported':
      return appError('UNSUPPORTED_ENCODING', { cause: error });
    default:
      return appError('BAD_REQUEST', { cause: error });
  }
}
