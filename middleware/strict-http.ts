import type { NextFunction, Request, RequestHandler, Response } from 'express';
import { appError } from '../server/errors/app-error.ts';

const MAX_URL_CHARACTERS = 8 * 1024;

/**
 * Rejects requests that Node's parser takes but that a proxy in front may read differently (request smuggling): no Host
 * header or two of them, and transfer codings other than plain chunked (RFC 9112, sections 3.2 and 6.1). Also rejects
 * what no route can handle.
 */
export function createStrictHttp(): RequestHandler {
  return function strictHttp(req: Request, _res: Response, next: NextFunction) {
    if (req.url.length > MAX_URL_CHARACTERS) return next(appError('URI_TOO_LONG'));
    if (hasStrangeCoding(req)) {
      // Where this body ends is in dispute, so nothing that follows it may count as a request.
      return next(
        appError('BAD_REQUEST', { message: 'BAD_REQUEST.transfer', headers: { Connection: 'close' } }),
      );
    }
    // Node keeps the first of two; another parser may take the second, and with it another boundary.
    if ((req.headersDistinct['content-type']?.length ?? 0) > 1) {
      return next(appError('BAD_REQUEST', { message: 'BAD_REQUEST.contentTypes' }));
    }
    if (!hasOneHost(req)) return next(appError('BAD_REQUEST', { message: 'BAD_REQUEST.transfer' }));
    if (!isPlainPath(req)) return next(appError('BAD_REQUEST'));
    if (hasUnknownExpectation(req)) return next(appError('EXPECTATION_FAILED'));
    next();
  };
}

/** A name or address, and a port. RFC 3986 allows more in a name, but no user, path or fragment. */
const HOST = /^(?:[A-Za-z0-9._~%-]*|\[[0-9A-Fa-f:.]+\])(?::\d*)?$/;

/**
 * An invalid Host must be rejected (RFC 9112, section 3.2): a URL parser reads `own.example@evil.example` as another
 * host than a proxy that compares prefixes. HTTP/1.0 knew no Host header.
 */
function hasOneHost(req: Request): boolean {
  const [host, ...others] = req.headersDistinct.host ?? [];
  if (host === undefined) return req.httpVersion === '1.0';
  return others.length === 0 && HOST.test(host);
}

function hasStrangeCoding({ headers, httpVersion }: Request): boolean {
  const coding = headers['transfer-encoding'];
  return coding !== undefined && (coding.toLowerCase() !== 'chunked' || httpVersion === '1.0');
}

/** Absolute-form and asterisk-form targets are for proxies; a path that can't be decoded names nothing. */
function isPlainPath(req: Request): boolean {
  if (!req.url.startsWith('/')) return false;
  if (!req.url.includes('%')) return true;
  try {
    decodeURIComponent(req.path);
    return true;
  } catch {
    return false;
  }
}

function hasUnknownExpectation({ headers: { expect } }: Request): boolean {
  return expect !== undefined && expect.toLowerCase() !== '100-continue';
}
