import type { NextFunction, Request, RequestHandler, Response } from 'express';
import type { AppContext } from '../server/context.ts';
import { callerOf } from './caller.ts';

/** Holds a place for an upload until its response is over. */
export function createUploadSlot({ slots }: Pick<AppContext, 'slots'>): RequestHandler {
  return async function uploadSlot(req: Request, res: Response, next: NextFunction) {
    const release = await slots.take(callerOf(req).id);
    // Whoever left while the place was being taken has closed the response already.
    if (res.closed) return release();
    res.once('close', release);
    next();
  };
}
