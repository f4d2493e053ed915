import type { Logger } from '../logger.ts';
import { adviceFor, type LeadwayRejection, type LeadwayUse } from './errors.ts';

/** What Leadway rejects about the tokens, for the log and the readiness probe. */
export interface TokenNotices {
  /** Says aloud what a rejection means for the operator, once until it is mended; nothing if it is of something else. */
  noteRejected(rejection: LeadwayRejection, locationId: string, use: LeadwayUse): void;
  /** Leadway took the location's token for `use`. */
  noteAccepted(locationId: string, use: LeadwayUse): void;
  /** All that is not mended, in sentences for everybody: without location ids. Null when there is nothing. */
  text(): string | null;
}

/** A rejection that was told. */
interface Notice {
  readonly locationId: string;
  readonly use: LeadwayUse;
  readonly sentence: string;
  readonly isOfTokenItself: boolean;
}

/**
 * Makes notices that are kept by location and use: each use needs a scope of its own, so that one of them
 * succeeds says nothing of the scopes of the others. Only that a token is bad altogether it disproves.
 */
export function createTokenNotices(logger: Logger): TokenNotices {
  const notices = new Map<string, Notice>();
  return {
    noteRejected(rejection, locationId, use) {
      const advice = adviceFor(rejection, use);
      if (advice === null) return;
      const key = `${locationId} ${use}`;
      // Every request meets it until it is mended; once is enough to say it aloud.
      const isKnown = [...notices.values()].some(
        (notice) => notice.locationId === locationId && notice.sentence === advice.sentence,
      );
      notices.set(key, { locationId, use, ...advice });
      const { status: upstreamStatus } = rejection;
      logger[isKnown ? 'debug' : 'error']({ locationId, upstreamStatus }, advice.sentence);
    },
    noteAccepted(locationId, use) {
      // Asked after every call; hardly ever is there one.
      if (notices.size === 0) return;
      const mended = [...notices].filter(
        ([, notice]) => notice.locationId === locationId && (notice.use === use || notice.isOfTokenItself),
      );
      if (mended.length === 0) return;
      for (const [key] of mended) notices.delete(key);
      logger.info({ locationId }, 'Leadway takes the token again');
    },
    text() {
      const sentences = new Set([...notices.values()].map(({ sentence }) => sentence));
      return [...sentences].join(' ') || null;
    },
  };
}
