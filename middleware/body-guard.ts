import type { NextFunction, Request, RequestHandler, Response } from 'express';
import type { AppContext } from '../server/context.ts';
import { appError } from '../server/errors/app-error.ts';
import { sendError } from '../server/errors/response.ts';
import { hasBody } from '../server/http/body.ts';
import { joinSmallChunks } from '../server/http/buffers.ts';
import { BODY_PACE, watchBody } from '../server/http/byte-progress.ts';
import { isResponseSent } from '../server/http/response-end.ts';
import { addressKeyOf } from './client-address.ts';

/**
 * Rejects bodies that arrive too slowly or in too small pieces, and drains the rest of a body after an early response.
 */
export function createBodyGuard({
  config,
  lingering,
}: Pick<AppContext, 'config' | 'lingering'>): RequestHandler {
  const pace = { ...BODY_PACE, idleMs: config.uploads.idleTimeoutMs };
  return function bodyGuard(req: Request, res: Response, next: NextFunction) {
    if (hasBody(req)) {
      joinSmallChunks(req, () => {
        if (isResponseSent(res)) lingering.stop(req.socket);
        else sendError(req, res, appError('BAD_REQUEST', { message: 'BAD_REQUEST.chunks' }));
      });
      lingering.holdOpen(req, res, () => addressKeyOf(req));
      watchBody(req, res, pace, () => sendError(req, res, appError('REQUEST_TIMEOUT')));
    }
    next();
  };
}

/** Rejects requests whose body was already read by earlier middleware: we would wait for it forever. */
export function createUnreadBodyCheck({ logger }: Pick<AppContext, 'logger'>): RequestHandler {
  return function unreadBodyCheck(req: Request, _res: Response, next: NextFunction) {
    if (!hasBody(req) || !req.readableDidRead) return next();
    const fix =
      'a body parser has read the request before the upload router: mount the router first, app.use(path, createUploadRouter(…)) before app.use(express.json())';
    logger.error(fix);
    next(appError('INTERNAL', { message: 'INTERNAL.bodyRead', cause: new Error(fix) }));
  };
}
