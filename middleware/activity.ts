import type { NextFunction, Request, RequestHandler, Response } from 'express';
import type { AppContext } from '../server/context.ts';
import { onResponseEnd } from '../server/http/response-end.ts';

/** Counts the requests in flight, for a shutdown that waits for them. */
export function createActivityCount({ activity }: Pick<AppContext, 'activity'>): RequestHandler {
  return function countActivity(_req: Request, res: Response, next: NextFunction) {
    activity.requests += 1;
    onResponseEnd(res, () => {
      activity.requests -= 1;
    });
    next();
  };
}
