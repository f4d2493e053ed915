import type { ClientRateLimitInfo, Options, Store } from 'express-rate-limit';
import { type RedisReply, RedisStore } from 'rate-limit-redis';
import { sharedOrLocal } from '../server/redis/fallback.ts';
import { KEY_PREFIX, toKeyPart } from '../server/redis/script.ts';
import type { SharedStore } from '../server/redis/store.ts';
import { LocalRateStore } from './local-rate-store.ts';

/**
 * Counts requests in Redis, so that replicas count together, and in this process while Redis is away.
 */
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
