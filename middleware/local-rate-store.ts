import { type ClientRateLimitInfo, MemoryStore } from 'express-rate-limit';

/**
 * Counts requests in this process, and tells each one the count that it made itself. The library's own store
 * hands out the object that it goes on counting in, and the limiter looks at it a moment later: of requests
 * that had waited for the same thing, a response of Redis or the keys of an issuer, each would see the count
 * of the last one, and all would be rejected where only the last should be.
 */
export class LocalRateStore extends MemoryStore {
  override increment(key: string): Promise<ClientRateLimitInfo> {
    const counted = super.increment(key);
    // It counts before it returns, so the client is in the current window.
    const client = this.current.get(key);
    return client === undefined ? counted : Promise.resolve({ ...client });
  }
}
