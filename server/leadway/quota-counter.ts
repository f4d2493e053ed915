/** What Leadway's response says about a location's limits. */
export interface ReportedLimits {
  /** Calls per interval; null when the response did not say. */
  readonly max: number | null;
  readonly intervalMs: number;
  /** How many of them are left; null when the response did not say. */
  readonly remaining: number | null;
  /** For how long nothing may be sent. */
  readonly blockMs: number;
  /** Whether the day's calls are used up; null when the response did not say. */
  readonly isDayUsedUp: boolean | null;
  /** The call passed a block, so its response tells whether the block is over. */
  readonly isRetry: boolean;
}

/**
 * How a call is counted: `normal` waits as needed; `uninformed` goes out before the limits are known; `retry` ignores a
 * block.
 */
export type CallKind = 'normal' | 'uninformed' | 'retry';

/** Means: wait until the limits are known. */
export const UNINFORMED = -1;

/** Counts the calls to Leadway for each location. */
export interface QuotaCounter {
  /** 0 when the call was counted, {@link UNINFORMED}, or the milliseconds until there may be room. */
  take(locationId: string, callId: string, kind: CallKind): Promise<number>;
  /** Takes back a call that was counted and not made. */
  giveBack(locationId: string, callId: string): void;
  update(locationId: string, reported: ReportedLimits): void;
}

/** How many calls go out before a response has named the limits; further ones wait for it. */
export const MAX_UNINFORMED = 10;
/** Leadway does not say when the day ends; one call a minute finds out. */
export const DAILY_PROBE_MS = 60_000;
/** How long a call is remembered while the interval is not known. */
export const UNKNOWN_WINDOW_MS = 60_000;

/**
 * Over what time calls are counted. They arrive later than they are counted, some more than others, so the
 * window is a little longer than Leadway's.
 */
export function toWindowMs(intervalMs: number): number {
  return Math.ceil(intervalMs * 1.05);
}

interface Account {
  /** Whether any response has come. */
  isTold: boolean;
  max: number | null;
  windowMs: number;
  blockedUntil: number;
  isDayUsedUp: boolean;
  /** Calls that Leadway has counted and we have not: of other programs, or from before this one started. */
  foreign: number;
  foreignUntil: number;
  /** The calls in the window, oldest first. */
  calls: { readonly id: string; readonly at: number }[];
}

/** A counter of this process. */
export interface LocalQuotaCounter extends QuotaCounter {
  /** Counts a call that needs no wait and is never given back. Returns whether it was counted. */
  takeNow(locationId: string): boolean;
  /** Counts a call that was allowed elsewhere. */
  note(locationId: string, callId: string): void;
}

/** Counts in this process. */
export function createLocalCounter(now: () => number): LocalQuotaCounter {
  const accounts = new Map<string, Account>();
  const accountOf = (locationId: string): Account => {
    const known = accounts.get(locationId);
    if (known !== undefined) {
      const since = now() - known.windowMs;
      const first = known.calls.findIndex(({ at }) => at > since);
      if (first !== 0) known.calls.splice(0, first === -1 ? known.calls.length : first);
      return known;
    }
    const account: Account = {
      isTold: false,
      max: null,
      windowMs: UNKNOWN_WINDOW_MS,
      blockedUntil: 0,
      isDayUsedUp: false,
      foreign: 0,
      foreignUntil: 0,
      calls: [],
    };
    accounts.set(locationId, account);
    return account;
  };
  const note = (locationId: string, callId: string): void => {
    const account = accountOf(locationId);
    // Without limits there is nothing to count for.
    if (!account.isTold || account.max !== null) account.calls.push({ id: callId, at: now() });
  };
  return {
    note,
    takeNow(locationId) {
      const isFree = waitFor(accountOf(locationId), 'normal', now()) === 0;
      if (isFree) note(locationId, '');
      return isFree;
    },
    async take(locationId, callId, kind) {
      const account = accountOf(locationId);
      const waitMs = waitFor(account, kind, now());
      if (waitMs === 0) note(locationId, callId);
      return waitMs;
    },
    giveBack(locationId, callId) {
      const account = accountOf(locationId);
      account.calls = account.calls.filter(({ id }) => id !== callId);
    },
    update(locationId, reported) {
      updateAccount(accountOf(locationId), reported, now());
    },
  };
}

function waitFor(account: Account, kind: CallKind, at: number): number {
  if (kind !== 'retry' && account.blockedUntil > at) return account.blockedUntil - at;
  const used = account.calls.length;
  if (account.max === null) {
    return !account.isTold && kind === 'normal' && used >= MAX_UNINFORMED ? UNINFORMED : 0;
  }
  const isShared = account.foreignUntil > at && kind !== 'retry';
  const room = account.max - (isShared ? account.foreign : 0);
  if (used >= room) {
    const next = account.calls[used - Math.max(room, 1)];
    const ownMs = next === undefined ? Number.POSITIVE_INFINITY : next.at + account.windowMs - at;
    const foreignMs = isShared ? account.foreignUntil - at : Number.POSITIVE_INFINITY;
    return Math.max(1, Math.min(ownMs, foreignMs));
  }
  // This call finds out whether a new day has begun; the others go on waiting.
  if (account.isDayUsedUp) account.blockedUntil = at + DAILY_PROBE_MS;
  return 0;
}

function updateAccount(account: Account, reported: ReportedLimits, at: number): void {
  account.isTold = true;
  if (reported.max === null && account.max === null) account.calls = [];
  if (reported.max !== null) {
    account.max = reported.max;
    account.windowMs = toWindowMs(reported.intervalMs);
    account.calls = account.calls.filter((call) => call.at > at - account.windowMs);
    if (reported.remaining !== null) {
      account.foreign = Math.max(0, reported.max - reported.remaining - account.calls.length);
      account.foreignUntil = account.foreign > 0 ? at + reported.intervalMs : 0;
    }
  }
  if (reported.isRetry && reported.blockMs === 0) account.blockedUntil = 0;
  if (reported.isDayUsedUp === false && account.isDayUsedUp) account.blockedUntil = 0;
  if (reported.isDayUsedUp !== null) account.isDayUsedUp = reported.isDayUsedUp;
  account.blockedUntil = Math.max(account.blockedUntil, reported.blockMs > 0 ? at + reported.blockMs : 0);
}
