import type { Request, RequestHandler, Response } from 'express';
import {
  type ClientRateLimitInfo,
  MemoryStore,
  type Options,
  rateLimit,
  type Store,
} from 'express-rate-limit';
import { type RedisReply, RedisStore } from 'rate-limit-redis';
import type { AppContext } from '../server/context.ts';
import { appError } from '../server/errors/app-error.ts';
import { addLogFields } from '../server/http/log-fields.ts';
import { KEY_PREFIX, toKeyPart } from '../server/redis/script.ts';
import { type SharedStore, sharedOrLocal } from '../server/redis/store.ts';
import { clientOf } from './authenticate.ts';
import { addressKeyOf } from './client-address.ts';

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
 * Limits requests per address before the client is known, where clients must prove who they are: this also limits
 * guessing at credentials and the cost of checking them.
 */
export function createAddressRateLimit(parts: Parts): RequestHandler {
  return createLimit(parts, 'address', addressKeyOf, parts.config.rateLimit.max * ADDRESS_FACTOR);
}

/**
 * Limits failed requests per address, for endpoints where credentials can be guessed. Successes are not counted, and no
 * header reports it.
 */
export function createFailureLimit(parts: Parts): RequestHandler {
  return createLimit(parts, 'failures', addressKeyOf, parts.config.rateLimit.max, {
    skipSuccessfulRequests: true,
    standardHeaders: false,
  });
}

function createLimit(
  { config, sharedStore }: Parts,
  identifier: 'requests' | 'address' | 'failures',
  keyOf: (req: Request) => string,
  limit: number,
  options: Partial<Options> = {},
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
    ...options,
  });
}

/**
 * Counts requests in this process, and gives each one the count that it made itself. The library's store returns the
 * object it keeps counting in, and the limiter reads it later: requests that waited together (for Redis, or an issuer's
 * keys) would all see the last count, and all be rejected instead of only the last.
 */
export class LocalRateStore extends MemoryStore {
  override increment(key: string): Promise<ClientRateLimitInfo> {
    const counted = super.increment(key);
    // It counts before it returns, so the client is in the current window.
    const client = this.current.get(key);
    return client === undefined ? counted : Promise.resolve({ ...client });
  }
}

/** Counts requests in Redis, so that replicas count together, and in this process while Redis is down. */
export class SharedRateStore implements Store {
  readonly prefix: string;
  readonly #store: SharedStore;
  readonly #local = new LocalRateStore();
  #redis: Promise<RedisStore> | null = null;
  #options: Options | null = null;

  /** @param name Keeps the keys of one limit apart from those of another. */
  constructor(store: SharedStore, name: string) {
    this.#store = store;
    this.prefix = `${KEY_PREFIX}${name}:`;
  }

  init(options: Options): void {
    this.#options = options;
    this.#local.init(options);
  }

  increment(key: string): Promise<ClientRateLimitInfo> {
    return this.#inRedis(
      (redis) => redis.increment(toKeyPart(key)),
      () => this.#local.increment(key),
    );
  }

  decrement(key: string): Promise<void> {
    return this.#inRedis(
      (redis) => redis.decrement(toKeyPart(key)),
      () => this.#local.decrement(key),
    );
  }

  resetKey(key: string): Promise<void> {
    return this.#inRedis(
      (redis) => redis.resetKey(toKeyPart(key)),
      () => this.#local.resetKey(key),
    );
  }

  async shutdown(): Promise<void> {
    this.#local.shutdown();
  }

  #inRedis<T>(shared: (redis: RedisStore) => Promise<T>, local: () => Promise<T>): Promise<T> {
    const inRedis = async (): Promise<T> => {
      this.#redis ??= this.#open();
      return shared(await this.#redis);
    };
    return sharedOrLocal(this.#store, inRedis, local, () => {
      // The next request opens it again, scripts and all: Redis may have come back empty.
      this.#redis = null;
    });
  }

  /** The library sends its scripts when it is initialised, so that is left until Redis responds. */
  async #open(): Promise<RedisStore> {
    const redis = new RedisStore({
      prefix: this.prefix,
      sendCommand: (...command: string[]) => this.#store.send(...command) as Promise<RedisReply>,
    });
    if (this.#options !== null) await redis.init(this.#options);
    return redis;
  }
}
