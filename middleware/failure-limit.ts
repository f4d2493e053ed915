import type { Request, RequestHandler, Response } from 'express';
import { rateLimit } from 'express-rate-limit';
import type { AppContext } from '../server/context.ts';
import { appError } from '../server/errors/app-error.ts';
import { addressKeyOf } from './authenticate.ts';
import { LocalRateStore } from './local-rate-store.ts';

/**
 * Limits requests per address that fail, as many in one window as one client may make at all. For addresses
 * where a proof of identity can be guessed at; what succeeds is not counted.
 */
export function createFailureLimit({ config }: Pick<AppContext, 'config'>): RequestHandler {
  const { max, windowMs } = config.rateLimit;
  return rateLimit({
    windowMs,
    limit: max,
    store: new LocalRateStore(),
    skipSuccessfulRequests: true,
    standardHeaders: false,
    legacyHeaders: false,
    keyGenerator: (req: Request) => addressKeyOf(req),
    validate: false,
    handler(_req: Request, _res: Response, next) {
      next(
        appError('RATE_LIMITED', { retryAfterMs: windowMs, params: { seconds: Math.ceil(windowMs / 1000) } }),
      );
    },
  });
}
