import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { appError } from '../errors/app-error.ts';
import type { Logger } from '../logger.ts';
import type { QuotaLeft } from '../observability/observer.ts';
import { type SharedStore, sharedOrLocal } from '../redis/store.ts';
import { parseRetryAfter } from './errors.ts';
import {
  type CallKind,
  createLocalCounter,
  createSharedCounter,
  DAILY_PROBE_MS,
  type ReportedLimits,
  UNINFORMED,
} from './quota-counter.ts';

/** Whether a call is made for the first time or again. */
export type Attempt = 'first' | 'retry';

/** Keeps calls to Leadway within its limits per location. */
export interface UpstreamQuota {
  /**
   * Counts one call against the location's quota, after a short wait if need be.
   *
   * @param attempt A retry is not held back by the rejection it follows: its response shows if the block has ended.
   * @throws AppError `UPSTREAM_BUDGET` when Leadway would surely reject the call; `AbortError` when
   *   `signal` is aborted.
   */
  take(locationId: string, signal: AbortSignal, attempt?: Attempt): Promise<void>;
  /** Counts one call if that needs no waiting, not even for Redis. Returns whether it did. */
  takeNow(locationId: string): boolean;
  /** Updates the limits from the headers of Leadway's response. */
  update(locationId: string, status: number, headers: IncomingHttpHeaders, attempt?: Attempt): void;
}

/** Waiting this long is better for the client than retrying. */
const MAX_WAIT_MS = 1_000;
const POLL_MS = 50;
const DEFAULT_INTERVAL_MS = 10_000;
const MAX_INTERVAL_MS = 60 * 60_000;

/** Options of {@link createUpstreamQuota}. */
export interface UpstreamQuotaOptions {
  /** Where replicas count together; null counts in this process alone. */
  readonly store: SharedStore | null;
  readonly logger: Logger;
  readonly now?: () => number;
}

/**
 * The vendor's limits (100 calls per 10 s and 200,000 a day, per location) are never assumed: they are read
 * from the `X-RateLimit-*` headers of its responses. Calls are counted in a sliding window of the length in
 * the headers, by all replicas together.
 */
export function createUpstreamQuota({ store, logger, now = Date.now }: UpstreamQuotaOptions): UpstreamQuota {
  const onError = (err: unknown): void => logger.debug({ err }, 'the budget could not be updated in Redis');
  const local = createLocalCounter(now);
  const shared = store === null ? null : createSharedCounter(store, onError);

  /** What is counted in Redis is counted here too, so that this process knows what it did when Redis goes down. */
  const count = async (locationId: string, callId: string, kind: CallKind): Promise<number> => {
    const countHere = (): Promise<number> => local.take(locationId, callId, kind);
    if (store === null || shared === null) return countHere();
    const countTogether = async (): Promise<number> => {
      const waitMs = await shared.take(locationId, callId, kind);
      if (waitMs === 0) local.note(locationId, callId);
      return waitMs;
    };
    return sharedOrLocal(store, countTogether, countHere);
  };
  const giveBack = (locationId: string, callId: string): void => {
    local.giveBack(locationId, callId);
    shared?.giveBack(locationId, callId);
  };

  return {
    async take(locationId, signal, attempt = 'first') {
      signal.throwIfAborted();
      const callId = randomUUID();
      const deadline = performance.now() + MAX_WAIT_MS;
      let kind: CallKind = attempt === 'retry' ? 'retry' : 'normal';
      for (;;) {
        const waitMs = await count(locationId, callId, kind);
        if (waitMs === 0) break;
        const leftMs = deadline - performance.now();
        if (waitMs === UNINFORMED) {
          if (leftMs > 0) await sleep(POLL_MS, undefined, { signal });
          // No response has named a limit, so there is none.
          else kind = 'uninformed';
        } else if (waitMs > leftMs) {
          throw appError('UPSTREAM_BUDGET', {
            retryAfterMs: Math.ceil(waitMs),
            params: { seconds: Math.ceil(waitMs / 1000) },
          });
        } else {
          await sleep(waitMs, undefined, { signal });
        }
      }
      if (!signal.aborted) return;
      giveBack(locationId, callId);
      signal.throwIfAborted();
    },
    takeNow: (locationId) => store?.isUp !== true && local.takeNow(locationId),
    update(locationId, status, headers, attempt = 'first') {
      const reported = toReportedLimits(status, headers, attempt === 'retry');
      local.update(locationId, reported);
      if (store?.isUp === true) shared?.update(locationId, reported);
    },
  };
}

/** What `headers` of a response of Leadway say about the location's limits. */
export function toQuotaLeft(headers: IncomingHttpHeaders): QuotaLeft {
  return {
    interval: toNumber(headers['x-ratelimit-remaining']),
    intervalMs: toNumber(headers['x-ratelimit-interval-milliseconds']) ?? DEFAULT_INTERVAL_MS,
    day: toNumber(headers['x-ratelimit-daily-remaining']),
  };
}

function toReportedLimits(status: number, headers: IncomingHttpHeaders, isRetry: boolean): ReportedLimits {
  const max = toNumber(headers['x-ratelimit-max']);
  const interval = toNumber(headers['x-ratelimit-interval-milliseconds']);
  const dailyRemaining = toNumber(headers['x-ratelimit-daily-remaining']);
  const intervalMs =
    interval === null || interval === 0 ? DEFAULT_INTERVAL_MS : Math.min(interval, MAX_INTERVAL_MS);
  const isDayUsedUp = dailyRemaining === null ? null : dailyRemaining === 0;
  // A 429 without limits may be about this one call.
  const isLimit = status === 429 && max !== null;
  const rejectedMs = isLimit ? (parseRetryAfter(headers['retry-after']) ?? intervalMs) : 0;
  return {
    max: max === 0 ? null : max,
    intervalMs,
    remaining: toNumber(headers['x-ratelimit-remaining']),
    blockMs: Math.min(MAX_INTERVAL_MS, Math.max(rejectedMs, isDayUsedUp === true ? DAILY_PROBE_MS : 0)),
    isDayUsedUp,
    isRetry,
  };
}

function toNumber(value: string | string[] | undefined): number | null {
  return typeof value === 'string' && /^\d{1,12}$/.test(value) ? Number(value) : null;
}
