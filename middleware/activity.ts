import type { NextFunction, Request, RequestHandler, Response } from 'express';
import type { AppContext } from '../server/context.ts';

/** Counts the requests under way, for a shutdown that waits for them. */
export function createActivityCount({ activity }: Pick<AppContext, 'activity'>): RequestHandler {
  return function countActivity(_req: Request, res: Response, next: NextFunction) {
    activity.requests += 1;
    res.once('close', () => {
      activity.requests -= 1;
    });
    next();
  };
}
