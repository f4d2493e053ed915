import type { Logger } from '../logger.ts';
import type { LeadwayRejection } from './errors.ts';

/** How long Leadway is not asked again after it said that initiate is not offered. */
const REMEMBERED_MS = 10 * 60_000;

/**
 * Remembers for which locations Leadway does not offer direct uploads. The vendor calls the endpoints internal, so they
 * may disappear for some tokens or for a while.
 */
export interface DirectCapability {
  /** False while a recent rejection is remembered. */
  isOffered(locationId: string): boolean;
  noteUnavailable(locationId: string): void;
  noteOffered(locationId: string): void;
}

/** Direct uploads count as offered until Leadway rejects one. */
export function createDirectCapability(logger: Logger, now: () => number = Date.now): DirectCapability {
  const rejectedAt = new Map<string, number>();
  return {
    isOffered(locationId) {
      const at = rejectedAt.get(locationId);
      return at === undefined || now() - at >= REMEMBERED_MS;
    },
    noteUnavailable(locationId) {
      if (this.isOffered(locationId)) {
        logger.warn(
          { locationId },
          'Leadway does not offer direct uploads to this token; files are forwarded instead (asked again in 10 minutes)',
        );
      }
      rejectedAt.set(locationId, now());
    },
    noteOffered(locationId) {
      rejectedAt.delete(locationId);
    },
  };
}

/** Whether a 404 is about the path (in the words of Leadway's framework) and not about a file. */
export function isEndpointMissing({ status, message }: LeadwayRejection): boolean {
  return status === 404 && /^cannot post\b/i.test(message);
}

/** Things that a request names. The attack: a client names one that does not exist, and direct is off for all others. */
const NAMES_A_RESOURCE = /\b(?:conversation|contact|location)\b/i;

/**
 * Whether a rejection of initiate means that Leadway does not offer it, in contrast to a wrong request or a wrong token,
 * with which forward would fail too.
 */
export function meansNotOffered({ status, message, isWebPage }: LeadwayRejection): boolean {
  // The page of a firewall is about this one request, not about the endpoint.
  if (isWebPage && (status === 401 || status === 403)) return false;
  switch (status) {
    case 401:
      return /scope|AuthClass|not (?:yet )?supported/i.test(message);
    case 403:
      return !NAMES_A_RESOURCE.test(message);
    case 404:
      return !NAMES_A_RESOURCE.test(message);
    case 410:
      return true;
    default:
      return false;
  }
}
