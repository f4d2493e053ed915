import { readFileSync } from 'node:fs';
import type { Config, Secrets } from './config/config.ts';
import type { Lifecycle, Notice } from './lifecycle.ts';
import type { Logger } from './logger.ts';

/** Options of {@link addStartChecks}. */
export interface StartCheckOptions {
  readonly config: Config;
  readonly secrets: Secrets;
  readonly lifecycle: Lifecycle;
  readonly logger: Logger;
  /** Most files that the process may have open; null if that is not known. */
  readonly descriptorLimit?: number | null;
}

/** An upload has a socket of its client, one to Leadway or storage, and one to clamd. */
const DESCRIPTORS_PER_UPLOAD = 3;
/** The listener, Redis, the log, idle connections. */
const DESCRIPTORS_BESIDE = 100;

/** Logs what is likely to go wrong later, once, and shows it in the notices of `/readyz`. */
export function addStartChecks({
  config,
  secrets,
  lifecycle,
  logger,
  descriptorLimit = readDescriptorLimit(),
}: StartCheckOptions): void {
  const problems = [
    checkTicketSecrets(secrets),
    checkDescriptors(config.uploads.maxConcurrent, descriptorLimit),
    checkMaxFiles(config.uploads.maxFiles),
  ];
  for (const problem of problems) {
    if (problem === null) continue;
    logger.warn(problem.detail);
    lifecycle.addNotice(() => problem);
  }
}

function checkTicketSecrets({ redisUrl, ticketSecrets }: Secrets): Notice | null {
  if (redisUrl === null || ticketSecrets.length > 0) return null;
  return {
    text: 'Direct uploads work only on the replica that began them',
    detail:
      'REDIS_URL is set but TICKET_SECRETS is not: a ticket opens only on the replica that sealed it. Give all replicas the same TICKET_SECRETS',
  };
}

/** How many files the process may have to open. */
export function descriptorsNeeded(maxConcurrent: number): number {
  return maxConcurrent * DESCRIPTORS_PER_UPLOAD + DESCRIPTORS_BESIDE;
}

function checkDescriptors(maxConcurrent: number, limit: number | null): Notice | null {
  const needed = descriptorsNeeded(maxConcurrent);
  if (limit === null || limit >= needed) return null;
  return {
    text: 'The limit of open files is low',
    detail: `the process may open ${limit} files, but MAX_CONCURRENT_UPLOADS=${maxConcurrent} needs about ${needed}. Raise the limit (ulimit -n, or LimitNOFILE= of systemd), or lower the setting`,
  };
}

/** The vendor's documented limit. */
const LEADWAY_MAX_FILES = 5;

function checkMaxFiles(maxFiles: number): Notice | null {
  if (maxFiles <= LEADWAY_MAX_FILES) return null;
  return {
    text: 'MAX_FILES is above what Leadway documents',
    detail: `MAX_FILES is ${maxFiles}, but Leadway documents at most ${LEADWAY_MAX_FILES} files in one upload and may reject more. Lower it to ${LEADWAY_MAX_FILES}, unless your account accepts more`,
  };
}

/** How many files the process may open; null if the system does not say. */
export function readDescriptorLimit(): number | null {
  try {
    const limits = readFileSync('/proc/self/limits', 'utf8');
    const [, soft = ''] = /^Max open files +(\S+)/m.exec(limits) ?? [];
    return soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft) || null;
  } catch {
    return null; // not Linux
  }
}

/** Compares this machine's clock with Leadway's. */
export interface ClockCheck {
  /** Takes the `Date` header of a response. */
  note(date: string | undefined): void;
  problem(): Notice | null;
}

/** What a slow response and headers in whole seconds can't explain. */
export const MAX_SKEW_MS = 60_000;

/** Makes a check that logs once that the clock is off, and once that it is right again. */
export function createClockCheck(logger: Logger, now: () => number = Date.now): ClockCheck {
  let notice: Notice | null = null;
  return {
    note(date) {
      const leadwayTime = date === undefined ? Number.NaN : Date.parse(date);
      if (Number.isNaN(leadwayTime)) return;
      const skewMs = now() - leadwayTime;
      if (Math.abs(skewMs) <= MAX_SKEW_MS) {
        if (notice !== null) logger.info('the clock agrees with Leadway’s again');
        notice = null;
      } else if (notice === null) {
        const seconds = Math.round(Math.abs(skewMs) / 1_000);
        const detail = `the clock of this machine is ${seconds} s ${skewMs > 0 ? 'ahead of' : 'behind'} Leadway’s. Set it by NTP: logins, tickets and signed URLs depend on it`;
        logger.warn({ skewMs }, detail);
        notice = { text: 'The clock of this machine is wrong', detail };
      }
    },
    problem: () => notice,
  };
}

/** Finds out in the background whether Leadway takes the tokens, before a user's upload does. */
export interface TokenCheck extends Disposable {
  /** Checks, after a moment, the tokens of all locations for which Leadway has not responded yet. */
  start(): void;
  /** Leadway has responded to a call for `locationId`: a check would say no more. */
  noteResponse(locationId: string): void;
  /** The tokens have changed: earlier responses say nothing about them. */
  reset(): void;
}

/** Options of {@link createTokenCheck}. */
export interface TokenCheckOptions {
  readonly locationIds: readonly string[];
  /** Makes one call for a location; rejects where no response came. */
  readonly check: (locationId: string, signal: AbortSignal) => Promise<void>;
  readonly delayMs?: number;
}

/** If an upload arrives first, its response makes the check unnecessary. */
const TOKEN_CHECK_DELAY_MS = 2_000;
/** Each location costs a call. */
const MAX_CHECKED_LOCATIONS = 20;

/** Makes the check of the tokens; nothing is sent before it is started. */
export function createTokenCheck({
  locationIds,
  check,
  delayMs = TOKEN_CHECK_DELAY_MS,
}: TokenCheckOptions): TokenCheck {
  const responded = new Set<string>();
  const closed = new AbortController();
  let timer: NodeJS.Timeout | null = null;

  const run = async (): Promise<void> => {
    for (const locationId of locationIds.slice(0, MAX_CHECKED_LOCATIONS)) {
      if (responded.has(locationId)) continue;
      responded.add(locationId);
      await check(locationId, closed.signal).catch(() => responded.delete(locationId)); // logged where it failed
      if (closed.signal.aborted) return;
    }
  };
  return {
    start() {
      if (timer !== null || closed.signal.aborted) return;
      timer = setTimeout(() => {
        timer = null;
        void run();
      }, delayMs);
      timer.unref();
    },
    noteResponse: (locationId) => void responded.add(locationId),
    reset: () => responded.clear(),
    [Symbol.dispose]() {
      closed.abort();
      if (timer !== null) clearTimeout(timer);
    },
  };
}
