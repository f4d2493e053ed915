import type { IncomingHttpHeaders } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { appError } from '../errors/app-error.ts';
import type { Logger } from '../logger.ts';
import type { SharedStore } from '../shared/shared-store.ts';
import { createLocalWindow, createSharedWindow, type SlidingWindow } from '../shared/sliding-window.ts';

/** Keeps the calls to Leadway within what it allows per location. */
export interface UpstreamBudget {
  /**
   * Takes one call out of the location's budget, after a short wait if need be.
   *
   * @throws AppError `UPSTREAM_BUDGET` when Leadway would surely refuse the call.
   */
  take(locationId: string, signal: AbortSignal): Promise<void>;
  /** Learns from the headers of an answer of Leadway's. */
  learn(locationId: string, status: number, headers: IncomingHttpHeaders): void;
}

/** What Leadway has told of a location's limits. */
interface KnownLimits {
  readonly max: number;
  readonly intervalMs: number;
  /** Until when nothing may be sent. */
  blockedUntil: number;
}

/** A caller rather waits this long than starts over. */
const MAX_WAIT_MS = 1_000;
/** How many calls go out before the first answer has told the limits; more of them wait for it. */
const MAX_UNINFORMED = 10;
const FIRST_ANSWER_WAIT_MS = 2_000;
/** The time at which the daily limit starts anew is not told; one call a minute finds out. */
const DAILY_PROBE_MS = 60_000;
const DEFAULT_INTERVAL_MS = 10_000;

/** What {@link createUpstreamBudget} takes. */
export interface UpstreamBudgetOptions {
  /** Where replicas count together; null counts in this process alone. */
  readonly store: SharedStore | null;
  readonly logger: Logger;
  readonly now?: () => number;
}

/**
 * The vendor's limits (100 calls per 10 s and 200,000 a day, per location) are never assumed: they are read
 * from the `X-RateLimit-*` headers of its answers. Calls are counted in a sliding window of the length that
 * the headers tell, by all replicas together.
 */
export function createUpstreamBudget({
  store,
  logger,
  now = Date.now,
}: UpstreamBudgetOptions): UpstreamBudget {
  const limits = new Map<string, KnownLimits>();
  const uninformed = new Map<string, { count: number; readonly told: PromiseWithResolvers<void> }>();
  const local = createLocalWindow(now);
  const shared = store === null ? null : createSharedWindow(store, now);

  const count = async (locationId: string, { max, intervalMs }: KnownLimits): Promise<number> => {
    const key = `budget:${locationId}`;
    const inProcess = (window: SlidingWindow) => window.take(key, max, intervalMs);
    if (shared === null || store?.isUp !== true) return inProcess(local);
    try {
      return await inProcess(shared);
    } catch {
      return inProcess(local);
    }
  };
  const waitForFirstAnswer = async (locationId: string, signal: AbortSignal): Promise<void> => {
    const state = uninformed.get(locationId) ?? { count: 0, told: Promise.withResolvers<void>() };
    uninformed.set(locationId, state);
    state.count += 1;
    if (state.count > MAX_UNINFORMED) {
      await Promise.race([state.told.promise, sleep(FIRST_ANSWER_WAIT_MS, undefined, { signal })]);
    }
  };

  return {
    async take(locationId, signal) {
      if (!limits.has(locationId)) await waitForFirstAnswer(locationId, signal);
      const deadline = now() + MAX_WAIT_MS;
      for (;;) {
        const known = limits.get(locationId);
        if (known === undefined) return;
        const blockedMs = known.blockedUntil - now();
        const waitMs = blockedMs > 0 ? blockedMs : await count(locationId, known);
        if (waitMs <= 0) return;
        if (now() + waitMs > deadline) {
          throw appError('UPSTREAM_BUDGET', {
            retryAfterMs: waitMs,
            params: { seconds: Math.ceil(waitMs / 1000) },
          });
        }
        await sleep(waitMs, undefined, { signal });
      }
    },
    learn(locationId, status, headers) {
      const max = toNumber(headers['x-ratelimit-max']);
      const intervalMs = toNumber(headers['x-ratelimit-interval-milliseconds']) ?? DEFAULT_INTERVAL_MS;
      const known = limits.get(locationId);
      const blockedUntil = Math.max(known?.blockedUntil ?? 0, blockedBy(status, headers, intervalMs, now()));
      if (max !== null && max > 0) limits.set(locationId, { max, intervalMs, blockedUntil });
      else if (known !== undefined) known.blockedUntil = blockedUntil;
      if (known === undefined && max !== null)
        logger.debug({ locationId, max, intervalMs }, 'Leadway told its limits');
      uninformed.get(locationId)?.told.resolve();
      uninformed.delete(locationId);
    },
  };
}

/** Until when an answer says that nothing more may be sent; 0 when it does not. */
function blockedBy(status: number, headers: IncomingHttpHeaders, intervalMs: number, at: number): number {
  if (toNumber(headers['x-ratelimit-daily-remaining']) === 0) return at + DAILY_PROBE_MS;
  if (status === 429) {
    const seconds = toNumber(headers['retry-after']);
    return at + (seconds === null ? intervalMs : seconds * 1000);
  }
  // Others may use the same token: what they took is not in our count.
  return toNumber(headers['x-ratelimit-remaining']) === 0 ? at + intervalMs : 0;
}

function toNumber(value: string | string[] | undefined): number | null {
  return typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : null;
}
