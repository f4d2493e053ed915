import type { NextFunction, Request, RequestHandler, Response } from 'express';
import type { AppContext } from '../server/context.ts';
import { appError } from '../server/errors/app-error.ts';
import { joinSmallChunks } from '../server/http/body-chunks.ts';
import { BODY_PACE, hasBody, watchBody } from '../server/http/body-watch.ts';
import { drainAfterAnswer } from '../server/http/bounded-drain.ts';
import { sendError } from '../server/http/send-error.ts';

/**
 * Bounds how slowly a body may arrive, in how small pieces, and how much of it is read once the request has been
 * answered.
 */
export function createBodyGuard({ config }: Pick<AppContext, 'config'>): RequestHandler {
  const pace = { ...BODY_PACE, idleMs: config.uploads.idleTimeoutMs };
  return function bodyGuard(req: Request, res: Response, next: NextFunction) {
    if (hasBody(req)) {
      joinSmallChunks(req, () =>
        sendError(req, res, appError('BAD_REQUEST', { message: 'BAD_REQUEST.chunks' })),
      );
      drainAfterAnswer(req, res);
      watchBody(req, res, pace, () => sendError(req, res, appError('REQUEST_TIMEOUT')));
    }
    next();
  };
}
