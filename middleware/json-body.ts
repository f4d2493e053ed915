import type { NextFunction, Request, Response } from 'express';
import { AppError, appError } from '../server/errors/app-error.ts';
import { bodyTooLarge, tooManyValues } from '../server/errors/factories.ts';
import {
  assertNoEncoding,
  BodyOverflowError,
  contentLengthOf,
  readBody,
  sendContinue,
} from '../server/http/body.ts';
import { parseJsonObject } from '../server/json-object.ts';

const MAX_BYTES = 1024 * 1024;

/** Never rejects: what is wrong goes to `next`. */
type AsyncHandler = (req: Request, res: Response, next: NextFunction) => Promise<void>;

/**
 * Reads a JSON object into `req.body`: `application/json`, UTF-8, at most 1 MiB, without a coding. An empty body counts
 * as an empty object, as with `express.json()`.
 *
 * @param maxValues How many values the body may hold, for a route that looks at each of them.
 */
export function createJsonBody(maxValues = Infinity): AsyncHandler {
  return async function jsonBody(req, res, next) {
    try {
      assertReadable(req);
      sendContinue(req, res);
      req.body = parseObject(await readBody(req, MAX_BYTES), maxValues);
    } catch (error) {
      next(toBodyError(error));
      return;
    }
    next();
  };
}

/** @throws AppError what the head of `req` says against reading its body. */
function assertReadable(req: Request): void {
  const { 'content-type': type = '' } = req.headers;
  assertNoEncoding(req);
  if (req.is('application/json') !== 'application/json' || !isUtf8(type)) throw appError('NOT_JSON');
  if ((contentLengthOf(req) ?? 0) > MAX_BYTES) throw bodyTooLarge(MAX_BYTES);
}

/** JSON is UTF-8 (RFC 8259, section 8.1). A filter in front could read UTF-7 or UTF-16 differently. */
function isUtf8(contentType: string): boolean {
  const charsets = contentType.match(/;\s*charset\s*=[^;]*/gi) ?? [];
  return charsets.every((charset) => /=\s*"?utf-8"?\s*$/i.test(charset));
}

/** Without a byte order mark, which some clients write before JSON. */
const utf8 = new TextDecoder();

function parseObject(bytes: Buffer, maxValues: number): object {
  if (bytes.length === 0) return {};
  if (maxValues < bytes.length && hasMoreValuesThan(bytes, maxValues)) throw tooManyValues(maxValues);
  try {
    return parseJsonObject(utf8.decode(bytes));
  } catch (cause) {
    throw appError('BAD_JSON', { cause });
  }
}

/** Like `toAppError`, but errors while reading a body are the client's fault. */
function toBodyError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  if (error instanceof BodyOverflowError) return bodyTooLarge(MAX_BYTES);
  return appError('BAD_REQUEST', { cause: error });
}

const [QUOTE, BACKSLASH, COMMA, LIST, OBJECT] = [...'"\\,[{'].map((sign) => sign.charCodeAt(0));

/** Counts values without parsing: each follows a comma or opens a list or an object. */
function hasMoreValuesThan(json: Uint8Array, max: number): boolean {
  let count = 0;
  let isInString = false;
  for (let at = 0; at < json.length; at += 1) {
    const byte = json[at];
    if (byte === QUOTE) isInString = !isInString;
    else if (isInString) at += byte === BACKSLASH ? 1 : 0;
    else if (byte === COMMA || byte === LIST || byte === OBJECT) {
      count += 1;
      if (count > max) return true;
    }
  }
  return false;
}
