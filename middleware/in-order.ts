import type { NextFunction, Request, RequestHandler, Response } from 'express';

/**
 * Runs `handlers` one after the other, as `app.use` with each of them would, but as one step of the router: it
 * looks at the path, and makes closures, for every step that it takes.
 */
export function inOrder(...handlers: readonly RequestHandler[]): RequestHandler {
  return function runInOrder(req: Request, res: Response, next: NextFunction) {
    let at = 0;
    const goOn = (reason?: unknown): void => {
      const handler = reason ? undefined : handlers[at++];
      if (handler === undefined) {
        next(reason);
        return;
      }
      try {
        const outcome: unknown = handler(req, res, goOn);
        if (outcome instanceof Promise) outcome.catch(next);
      } catch (error) {
        next(error);
      }
    };
    goOn();
  };
}
