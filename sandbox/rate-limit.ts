import type { Settings } from './options.ts';

/** What one request leaves of a location's budget. */
interface Budget {
  exceeded: boolean;
  headers: Record<string, string>;
}

/** Counts requests per location in fixed windows. */
export interface RateLimiter {
  spend(locationId: string): Budget;
  reset(): void;
}

interface Window {
  startedAt: number;
  count: number;
}

const DAY_MS = 24 * 60 * 60_000;

function count(windows: Map<string, Window>, key: string, now: number, lengthMs: number): number {
  const window = windows.get(key);
  if (window === undefined || now - window.startedAt >= lengthMs) {
    windows.set(key, { startedAt: now, count: 1 });
    return 1;
  }
  window.count += 1;
  return window.count;
}

/** The vendor's five rate headers. */
export function rateHeaders(
  limit: Settings['rateLimit'],
  remaining: number,
  dailyRemaining: number,
): Record<string, string> {
  return {
    'X-RateLimit-Max': String(limit.max),
    'X-RateLimit-Remaining': String(Math.max(0, remaining)),
    'X-RateLimit-Interval-Milliseconds': String(limit.intervalMs),
    'X-RateLimit-Limit-Daily': String(limit.daily),
    'X-RateLimit-Daily-Remaining': String(Math.max(0, dailyRemaining)),
  };
}

/** Makes a limiter with full budgets. */
export function createRateLimiter(settings: Pick<Settings, 'rateLimit' | 'now'>): RateLimiter {
  const bursts = new Map<string, Window>();
  const days = new Map<string, Window>();
  const limit = settings.rateLimit;
  return {
    spend(locationId) {
      const now = settings.now();
      const burst = count(bursts, locationId, now, limit.intervalMs);
      const day = count(days, locationId, now, DAY_MS);
      return {
        exceeded: burst > limit.max || day > limit.daily,
        headers: rateHeaders(limit, limit.max - burst, limit.daily - day),
      };
    },
    reset() {
      bursts.clear();
      days.clear();
    },
  };
}
