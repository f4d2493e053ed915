import type { ClientRateLimitInfo, Options, Store } from 'express-rate-limit';
import { MemoryStore } from 'express-rate-limit';
import { type RedisReply, RedisStore } from 'rate-limit-redis';
import type { SharedStore } from '../server/shared/shared-store.ts';

/**
 * Counts requests in Redis, so that replicas count together, and in this process while Redis is away: a
 * limit that nobody enforces would be worse than one that each replica enforces for itself.
 */
export class SharedRateStore implements Store {
  readonly prefix: string;
  readonly #store: SharedStore;
  readonly #local = new MemoryStore();
  #redis: RedisStore | null = null;
  #options: Options | null = null;

  /** @param prefix Keeps the keys of one limit apart from those of another. */
  constructor(store: SharedStore, prefix: string) {
    this.#store = store;
    this.prefix = prefix;
  }

  init(options: Options): void {
    this.#options = options;
    this.#local.init(options);
  }

  increment(key: string): Promise<ClientRateLimitInfo> {
    return this.#inRedis(
      (redis) => redis.increment(key),
      () => this.#local.increment(key),
    );
  }

  decrement(key: string): Promise<void> {
    return this.#inRedis(
      (redis) => redis.decrement(key),
      () => this.#local.decrement(key),
    );
  }

  resetKey(key: string): Promise<void> {
    return this.#inRedis(
      (redis) => redis.resetKey(key),
      () => this.#local.resetKey(key),
    );
  }

  async shutdown(): Promise<void> {
    this.#local.shutdown();
  }

  async #inRedis<T>(shared: (redis: RedisStore) => Promise<T>, local: () => Promise<T>): Promise<T> {
    if (!this.#store.isUp) return local();
    try {
      return await shared(await this.#open());
    } catch {
      // The next request tries anew, scripts and all: Redis may have come back empty.
      this.#redis = null;
      return local();
    }
  }

  /** The library loads its scripts when it is made, so it is made only once Redis answers. */
  async #open(): Promise<RedisStore> {
    if (this.#redis !== null) return this.#redis;
    const redis = new RedisStore({
      prefix: this.prefix,
      sendCommand: (...command: string[]) => this.#store.send(...command) as Promise<RedisReply>,
    });
    // Both load in the background; what fails here would otherwise be nobody's rejection.
    await Promise.all([redis.incrementScriptSha, redis.getScriptSha]);
    if (this.#options !== null) await redis.init(this.#options);
    this.#redis = redis;
    return redis;
  }
}
