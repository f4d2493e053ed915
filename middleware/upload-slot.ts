import type { NextFunction, Request, RequestHandler, Response } from 'express';
import type { AppContext } from '../server/context.ts';
import { isResponseOpen, onRequestEnd } from '../server/http/response-end.ts';
import { clientOf } from './authenticate.ts';

/** Holds a slot for an upload until it has ended, which may be after its client has disconnected. */
export function createUploadSlot({ slots }: Pick<AppContext, 'slots'>): RequestHandler {
  return async function uploadSlot(req: Request, res: Response, next: NextFunction) {
    const release = await slots.take(clientOf(req).id);
    const isOpen = isResponseOpen(res); // the client may have disconnected while the slot was being taken
    onRequestEnd(res, release);
    if (isOpen) next();
  };
}
