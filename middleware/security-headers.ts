import { Socket } from 'node:net';
import type { NextFunction, Request, RequestHandler, Response } from 'express';
import helmet from 'helmet';
import { http } from '../server/http/node-http.ts';

/**
 * Puts helmet's headers on every answer. None of them depends on the request, so helmet, which is a dozen
 * functions that call each other, is asked once.
 */
export function createSecurityHeaders(): RequestHandler {
  const headers: [string, string][] = [];
  const sample = new http.ServerResponse(new http.IncomingMessage(new Socket()));
  sample.setHeader = (name, value) => {
    headers.push([name, String(value)]);
    return sample;
  };
  helmet()(sample.req, sample, () => {});
  return function securityHeaders(_req: Request, res: Response, next: NextFunction) {
    for (const [name, value] of headers) res.setHeader(name, value);
    next();
  };
}
