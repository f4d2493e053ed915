import { Socket } from 'node:net';
import type { NextFunction, Request, RequestHandler, Response } from 'express';
import helmet from 'helmet';
import { http } from '../server/http/node-http.ts';

/**
 * Puts helmet's headers on every answer. None of them depends on the request, so helmet, which is a dozen
 * functions that call each other, is asked once.
 *
 * @param hstsMaxAgeS Seconds of `Strict-Transport-Security`; 0 leaves it to the proxy that speaks TLS. Never with
 *   subdomains, which are not ours to decide about.
 */
export function createSecurityHeaders(hstsMaxAgeS: number): RequestHandler {
  const headers: [string, string][] = [];
  const sample = new http.ServerResponse(new http.IncomingMessage(new Socket()));
  sample.setHeader = (name, value) => {
    headers.push([name, String(value)]);
    return sample;
  };
  const strictTransportSecurity = hstsMaxAgeS > 0 && { maxAge: hstsMaxAgeS, includeSubDomains: false };
  helmet({ strictTransportSecurity })(sample.req, sample, () => {});
  return function securityHeaders(_req: Request, res: Response, next: NextFunction) {
    for (const [name, value] of headers) res.setHeader(name, value);
    next();
  };
}
