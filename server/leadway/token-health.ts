import type { Logger } from '../logger.ts';
import { adviceFor, type LeadwayRejection, type LeadwayUse } from './errors.ts';

/** What Leadway rejects about the tokens, for the log and the readiness probe. */
export interface TokenHealth {
  /** Logs what a token error means, once until it is fixed. Ignores rejections for other reasons. */
  noteRejected(rejection: LeadwayRejection, locationId: string, use: LeadwayUse): void;
  /** Leadway accepted the location's token for `use`. */
  noteAccepted(locationId: string, use: LeadwayUse): void;
  /** What is not fixed, in sentences without location ids; null when there is nothing. */
  text(): string | null;
  /** The same for the operator, each with its location. */
  details(): string[];
}

/** A rejection that was logged. */
interface Notice {
  readonly locationId: string;
  readonly use: LeadwayUse;
  readonly sentence: string;
  readonly isOfTokenItself: boolean;
}

/**
 * Keeps notices by location and use: each use needs a scope of its own, so the success of one says nothing about the scopes
 * of others. It does show that the token itself is good.
 */
export function createTokenHealth(logger: Logger): TokenHealth {
  const notices = new Map<string, Notice>();
  return {
    noteRejected(rejection, locationId, use) {
      const advice = adviceFor(rejection, use);
      if (advice === null) return;
      const key = `${locationId} ${use}`;
      // Every request meets it until it is fixed.
      const isKnown = [...notices.values()].some(
        (notice) => notice.locationId === locationId && notice.sentence === advice.sentence,
      );
      notices.set(key, { locationId, use, ...advice });
      const { status: upstreamStatus } = rejection;
      logger[isKnown ? 'debug' : 'error']({ locationId, upstreamStatus }, advice.sentence);
    },
    noteAccepted(locationId, use) {
      // Called after every success; there is hardly ever a notice.
      if (notices.size === 0) return;
      const fixed = [...notices].filter(
        ([, notice]) => notice.locationId === locationId && (notice.use === use || notice.isOfTokenItself),
      );
      if (fixed.length === 0) return;
      for (const [key] of fixed) notices.delete(key);
      logger.info({ locationId }, 'Leadway takes the token again');
    },
    text() {
      const sentences = new Set([...notices.values()].map(({ sentence }) => sentence));
      return [...sentences].join(' ') || null;
    },
    details: () => [...notices.values()].map(({ locationId, sentence }) => `${locationId}: ${sentence}`),
  };
}
