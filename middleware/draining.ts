import type { NextFunction, Request, RequestHandler, Response } from 'express';
import type { AppContext } from '../server/context.ts';
import { appError } from '../server/errors/app-error.ts';
import { onRequestEnd } from '../server/http/response-end.ts';

/** Counts the requests in flight, for a shutdown that waits for them. */
export function createActivityCount({ activity }: Pick<AppContext, 'activity'>): RequestHandler {
  return function countActivity(_req: Request, res: Response, next: NextFunction) {
    activity.requests += 1;
    onRequestEnd(res, () => {
      activity.requests -= 1;
    });
    next();
  };
}

/** By then another replica, or this one after a restart, should be ready. */
const RETRY_AFTER_MS = 2_000;

/** Rejects new requests while the process shuts down; those in flight finish. */
export function rejectWhileDraining({ lifecycle }: Pick<AppContext, 'lifecycle'>): RequestHandler {
  return function rejectWhileDraining(_req: Request, _res: Response, next: NextFunction) {
    if (lifecycle.phase !== 'draining' && lifecycle.phase !== 'closing') return next();
    next(appError('DRAINING', { retryAfterMs: RETRY_AFTER_MS }));
  };
}
