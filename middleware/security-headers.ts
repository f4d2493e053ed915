import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { NextFunction, Request, RequestHandler, Response } from 'express';
import helmet from 'helmet';

/**
 * Puts helmet's headers on every answer. None of them depends on the request, so helmet, which is a dozen
 * functions that call each other, is asked once.
 */
export function createSecurityHeaders(): RequestHandler {
  const sample = new ServerResponse(new IncomingMessage(new Socket()));
  helmet()(sample.req, sample, () => {});
  const headers = Object.entries(sample.getHeaders()) as [string, string][];
  const named = sample
    .getRawHeaderNames()
    .map((name, index): [string, string] => [name, headers[index]?.[1] ?? '']);
  return function securityHeaders(_req: Request, res: Response, next: NextFunction) {
    for (const [name, value] of named) res.setHeader(name, value);
    next();
  };
}
