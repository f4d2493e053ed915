import type { NextFunction, Request, RequestHandler, Response } from 'express';
import { requestIdOf } from '../server/http/request-id.ts';

/** Puts the request's id on its response, whatever the response is. */
export function createRequestId(): RequestHandler {
  return function requestId(req: Request, res: Response, next: NextFunction) {
    res.setHeader('X-Request-Id', requestIdOf(req));
    next();
  };
}
