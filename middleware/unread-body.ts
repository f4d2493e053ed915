import type { NextFunction, Request, RequestHandler, Response } from 'express';
import type { AppContext } from '../server/context.ts';
import { appError } from '../server/errors/app-error.ts';
import { hasBody } from '../server/http/body.ts';

/** Rejects requests whose body something in front has read: waiting for that body would never end. */
export function createUnreadBodyCheck({ logger }: Pick<AppContext, 'logger'>): RequestHandler {
  return function unreadBodyCheck(req: Request, _res: Response, next: NextFunction) {
    if (!hasBody(req) || !req.readableDidRead) return next();
    const fix =
      'a body parser has read the request before the upload router: mount the router first, app.use(path, createUploadRouter(…)) before app.use(express.json())';
    logger.error(fix);
    next(appError('INTERNAL', { message: 'INTERNAL.bodyRead', cause: new Error(fix) }));
  };
}
