import type { NextFunction, Request, Response } from 'express';
import { AppError, appError } from '../server/errors/app-error.ts';
import { sizeText } from '../server/errors/messages.ts';
import { letBodyCome } from '../server/http/continue.ts';
import { isJsonObject } from '../server/http/json-object.ts';
import { BodyOverflowError, readBody } from '../server/http/read-body.ts';
import { hasMoreValuesThan } from '../server/passthrough/value-count.ts';

const MAX_BYTES = 1024 * 1024;

/** With a reviver each value costs its call: with so many of them, some 40 ms in all. */
const MAX_REVIVED_VALUES = 50_000;

/** What `JSON.parse` takes for each value. */
type Reviver = (key: string, value: unknown) => unknown;

/** Never rejects: what is wrong goes to `next`. */
type AsyncHandler = (req: Request, res: Response, next: NextFunction) => Promise<void>;

/**
 * Reads a JSON object into `req.body`: `application/json`, UTF-8, at most 1 MiB, without a coding. A body of no bytes
 * that is announced as such is an empty object, as for Express's own parser.
 *
 * @param reviver For `JSON.parse`; a body may have 50,000 values then.
 */
export function createJsonBody(reviver?: Reviver): AsyncHandler {
  return async function jsonBody(req, res, next) {
    try {
      assertReadable(req);
      letBodyCome(req, res);
      req.body = parseObject(await readBody(req, MAX_BYTES), reviver);
    } catch (error) {
      next(toBodyError(error));
      return;
    }
    next();
  };
}

/** @throws AppError what the head of `req` says against reading its body. */
function assertReadable(req: Request): void {
  const { 'content-encoding': coding, 'content-type': type = '', 'content-length': length } = req.headers;
  if (coding !== undefined && coding.toLowerCase() !== 'identity') throw appError('UNSUPPORTED_ENCODING');
  if (req.is('application/json') !== 'application/json' || !isUtf8(type)) throw appError('NOT_JSON');
  if (Number(length ?? 0) > MAX_BYTES) throw bodyTooLarge();
}

/** JSON is UTF-8 (RFC 8259, section 8.1). In UTF-7 or UTF-16 it would be other text to a filter in front. */
function isUtf8(contentType: string): boolean {
  const charsets = contentType.match(/;\s*charset\s*=[^;]*/gi) ?? [];
  return charsets.every((charset) => /=\s*"?utf-8"?\s*$/i.test(charset));
}

/** Without a byte order mark, which some clients write before JSON. */
const utf8 = new TextDecoder();

function parseObject(bytes: Buffer, reviver: Reviver | undefined): object {
  if (bytes.length === 0) return {};
  if (reviver !== undefined && hasMoreValuesThan(bytes, MAX_REVIVED_VALUES)) throw tooManyValues();
  let value: unknown;
  try {
    value = JSON.parse(utf8.decode(bytes), reviver);
  } catch (cause) {
    throw appError('BAD_JSON', { cause });
  }
  if (!isJsonObject(value)) throw appError('BAD_JSON');
  return value;
}

/** As the project's `toAppError`, but what reading a body raises is the caller's matter. */
function toBodyError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  if (error instanceof BodyOverflowError) return bodyTooLarge();
  return appError('BAD_REQUEST', { cause: error });
}

function bodyTooLarge(): AppError {
  return appError('BODY_TOO_LARGE', {
    params: { limit: sizeText(MAX_BYTES) },
    details: { limit: MAX_BYTES },
  });
}

function tooManyValues(): AppError {
  return appError('BAD_JSON', {
    message: 'BAD_JSON.values',
    params: { limit: MAX_REVIVED_VALUES },
    details: { limit: MAX_REVIVED_VALUES },
  });
}
