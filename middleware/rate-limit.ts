import type { Request, RequestHandler, Response } from 'express';
import { rateLimit } from 'express-rate-limit';
import type { AppContext } from '../server/context.ts';
import { appError } from '../server/errors/app-error.ts';
import { addLogFields } from '../server/http/log-fields.ts';
import { addressKeyOf, clientOf } from './authenticate.ts';
import { LocalRateStore } from './local-rate-store.ts';
import { SharedRateStore } from './shared-rate-store.ts';

type Parts = Pick<AppContext, 'config' | 'sharedStore'>;

/**
 * Limits requests per client, reported in the `RateLimit` and `RateLimit-Policy` headers of the IETF draft.
 *
 * @see https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/08/
 */
export function createRateLimit(parts: Parts): RequestHandler {
  return createLimit(parts, 'requests', (req) => clientOf(req).id, parts.config.rateLimit.max);
}

/** Many people may share an address, so it gets more than one client does. */
const ADDRESS_FACTOR = 10;

/**
 * Limits requests per address before the client is known, where clients must prove who they are: guessing
 * proofs, and making us check them, has its bound too.
 */
export function createAddressRateLimit(parts: Parts): RequestHandler {
  return createLimit(parts, 'address', addressKeyOf, parts.config.rateLimit.max * ADDRESS_FACTOR);
}

function createLimit(
  { config, sharedStore }: Parts,
  identifier: 'requests' | 'address',
  keyOf: (req: Request) => string,
  limit: number,
): RequestHandler {
  return rateLimit({
    windowMs: config.rateLimit.windowMs,
    limit,
    standardHeaders: 'draft-8',
    legacyHeaders: false,
    identifier,
    store: sharedStore === null ? new LocalRateStore() : new SharedRateStore(sharedStore, identifier),
    keyGenerator: (req: Request) => keyOf(req),
    // Addresses are Express's own, by TRUST_PROXY; the limiter's guesses about proxies would only add noise.
    validate: false,
    handler(req: Request, _res: Response, next) {
      addLogFields(req, { limit: identifier });
      const { rateLimit: state } = req as Request & { rateLimit?: { resetTime?: Date } };
      const retryAfterMs = Math.max(1_000, (state?.resetTime?.getTime() ?? 0) - Date.now());
      next(appError('RATE_LIMITED', { retryAfterMs, params: { seconds: Math.ceil(retryAfterMs / 1000) } }));
    },
  });
}
