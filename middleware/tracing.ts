import type { NextFunction, Request, RequestHandler, Response } from 'express';
import type { Tracing } from '../server/observability/tracing.ts';
import { isFromTrustedProxy } from './forwarded.ts';

/** Starts a span for each request; it joins a trusted proxy's trace if there is a `traceparent`. */
export function createTracing(tracing: Tracing): RequestHandler {
  return function traceRequest(req: Request, _res: Response, next: NextFunction) {
    tracing.run(req, isFromTrustedProxy(req) ? 'trusted' : 'untrusted', next);
  };
}
