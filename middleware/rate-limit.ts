import type { Request, RequestHandler, Response } from 'express';
import { rateLimit } from 'express-rate-limit';
import type { AppContext } from '../server/context.ts';
import { appError } from '../server/errors/app-error.ts';
import { callerOf } from './caller.ts';

/**
 * Limits requests per caller, told in the `RateLimit` and `RateLimit-Policy` headers of the IETF draft.
 *
 * @see https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/08/
 */
export function createRateLimit({ config }: Pick<AppContext, 'config'>): RequestHandler {
  const { max, windowMs } = config.rateLimit;
  return rateLimit({
    windowMs,
    limit: max,
    standardHeaders: 'draft-8',
    legacyHeaders: false,
    identifier: 'requests',
    keyGenerator: (req: Request) => callerOf(req).id,
    // Addresses are Express's own, by TRUST_PROXY; the limiter's guesses about proxies would only add noise.
    validate: false,
    handler(req: Request, _res: Response, next) {
      const { rateLimit: state } = req as Request & { rateLimit?: { resetTime?: Date } };
      const retryAfterMs = Math.max(1_000, (state?.resetTime?.getTime() ?? 0) - Date.now());
      next(appError('RATE_LIMITED', { retryAfterMs, params: { seconds: Math.ceil(retryAfterMs / 1000) } }));
    },
  });
}
