import type { NextFunction, Request, RequestHandler, Response } from 'express';
import { ipKeyGenerator } from 'express-rate-limit';

/** Who sends a request. */
export interface Caller {
  /** Distinct for every caller; tickets, rates and places are bound to it. */
  readonly id: string;
}

const callers = new WeakMap<Request, Caller>();

/** An IPv6 subscriber has a whole /56, so single addresses say nothing. */
const IPV6_PREFIX_BITS = 56;

/** Knows callers by their address, as `TRUST_PROXY` lets it be known. */
export function createAddressCaller(): RequestHandler {
  return function addressCaller(req: Request, _res: Response, next: NextFunction) {
    callers.set(req, { id: `ip:${ipKeyGenerator(req.ip ?? 'unknown', IPV6_PREFIX_BITS)}` });
    next();
  };
}

/** The caller of `req`, once the caller middleware has run. */
export function callerOf(req: Request): Caller {
  const caller = callers.get(req);
  if (caller === undefined) throw new TypeError('the caller is not known yet');
  return caller;
}
