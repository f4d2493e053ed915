import type { NextFunction, Request, RequestHandler, Response } from 'express';
import type { Tracing } from '../server/observability/tracing.ts';
import { isFromTrustedProxy } from './forwarded.ts';

/** Makes a span of each request, within the trace of a trusted proxy if it sends `traceparent`. */
export function createTracing(tracing: Tracing): RequestHandler {
  return function traceRequest(req: Request, _res: Response, next: NextFunction) {
    tracing.run(req, isFromTrustedProxy(req) ? 'trusted' : 'untrusted', next);
  };
}
