import type { ErrorRequestHandler, NextFunction, Request, RequestHandler, Response } from 'express';
import { AppError, appError, toAppError } from '../server/errors/app-error.ts';
import { methodNotAllowed } from '../server/errors/factories.ts';
import { sendError } from '../server/errors/response.ts';

/** Sends the error that a route or middleware passed on. */
export function createErrorHandler(): ErrorRequestHandler {
  return function errorHandler(error: unknown, req: Request, res: Response, _next: NextFunction) {
    sendError(req, res, fromExpress(error));
  };
}

/** Express raises errors with a 4xx status for requests that it can't take. */
function fromExpress(error: unknown): AppError {
  if (error instanceof AppError) return error;
  const { status } = error as { status?: unknown };
  const isClientsFault = typeof status === 'number' && status >= 400 && status < 500;
  return isClientsFault ? appError('BAD_REQUEST', { cause: error }) : toAppError(error);
}

/** Responds 404 to requests that no route has handled. */
export function createNotFound(): RequestHandler {
  return function notFound(_req: Request, _res: Response, next: NextFunction) {
    next(appError('NOT_FOUND'));
  };
}

/** Rejects requests with another method than those in `allow`. */
export function createMethodNotAllowed(...allow: readonly string[]): RequestHandler {
  const list = allow.join(', ');
  return function otherMethod(_req: Request, _res: Response, next: NextFunction) {
    next(methodNotAllowed(list));
  };
}
