import type { NextFunction, Request, RequestHandler, Response } from 'express';
import { appError } from '../server/errors/app-error.ts';

const MAX_URL_CHARACTERS = 8 * 1024;

/**
 * Refuses requests that Node's parser takes but that a proxy in front may read differently (request
 * smuggling): two Host headers, and transfer codings other than plain chunked (RFC 9112, sections 3.2 and 6.1).
 */
export function createStrictHttp(): RequestHandler {
  return function strictHttp(req: Request, _res: Response, next: NextFunction) {
    if (req.url.length > MAX_URL_CHARACTERS) return next(appError('URI_TOO_LONG'));
    if (hasTwoHosts(req) || hasStrangeCoding(req) || !req.url.startsWith('/')) {
      return next(appError('BAD_REQUEST', { message: 'BAD_REQUEST.transfer' }));
    }
    next();
  };
}

function hasTwoHosts({ rawHeaders }: Request): boolean {
  const hosts = rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === 'host');
  return hosts.length > 1;
}

function hasStrangeCoding({ headers, httpVersion }: Request): boolean {
  const coding = headers['transfer-encoding'];
  return coding !== undefined && (coding.toLowerCase() !== 'chunked' || httpVersion === '1.0');
}
