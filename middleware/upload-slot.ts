import type { NextFunction, Request, RequestHandler, Response } from 'express';
import type { AppContext } from '../server/context.ts';
import { callerOf } from './caller.ts';

/** Holds a place for an upload until its response is over. */
export function createUploadSlot({ slots }: Pick<AppContext, 'slots'>): RequestHandler {
  return function uploadSlot(req: Request, res: Response, next: NextFunction) {
    res.once('close', slots.take(callerOf(req).id));
    next();
  };
}
