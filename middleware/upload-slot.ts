import type { NextFunction, Request, RequestHandler, Response } from 'express';
import type { AppContext } from '../server/context.ts';
import { isResponseOpen, onResponseEnd } from '../server/http/response-end.ts';
import { clientOf } from './authenticate.ts';

/** Holds a slot for an upload until its response has ended. */
export function createUploadSlot({ slots }: Pick<AppContext, 'slots'>): RequestHandler {
  return async function uploadSlot(req: Request, res: Response, next: NextFunction) {
    const release = await slots.take(clientOf(req).id);
    const isOpen = isResponseOpen(res); // the client may have disconnected while the slot was being taken
    onResponseEnd(res, release);
    if (isOpen) next();
  };
}
