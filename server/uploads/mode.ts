import { type AppError, appError } from '../errors/app-error.ts';
import { sizeText } from '../errors/messages.ts';
import { channelMaxBytes, LARGEST_CHANNEL_BYTES } from './channels.ts';
import { tooManyFiles } from './upload-errors.ts';

/** How the client wants a file to travel. */
export const MODES = ['auto', 'forward', 'direct', 'relay'] as const;

/** How the client wants a file to travel; `auto` leaves it to the server. */
export type Mode = (typeof MODES)[number];

/** How a file travels. */
export type Route = 'forward' | 'direct' | 'relay';

/** What the choice of a route depends on. */
export interface RouteFacts {
  readonly mode: Mode;
  readonly isGroupSms: boolean;
  readonly fileCount: number;
  /** Size of the one file in bytes: declared, or as good as certain; null when unknown. */
  readonly size: number | null;
  /** Null while the field has not come. */
  readonly channel: string | null;
  readonly defaultChannel: string;
  /** Whether fields may still come. */
  readonly isComplete: boolean;
  readonly isDirectOffered: boolean;
  readonly forwardMaxBytes: number;
  readonly fallbackMaxBytes: number;
}

/**
 * The route of an upload by what is known so far; `wait` when a field that may still come decides.
 *
 * @throws AppError `INVALID_FIELD` for a group SMS by another route than forward, `FILE_TOO_LARGE`,
 *   `TOO_MANY_FILES` for several files of which one can't be forwarded.
 */
export function chooseRoute(facts: RouteFacts): Route | 'wait' {
  const { mode, isGroupSms, fileCount } = facts;
  if (isGroupSms) return groupSmsRoute(facts);
  if (mode === 'direct' && fileCount > 1) throw tooManyFiles(1);
  if (mode !== 'auto') return checkedSize(facts, mode);
  if (facts.size === null || facts.size <= forwardLimit(facts)) return 'forward';
  if (!facts.isDirectOffered || fileCount > 1) throw tooLarge(facts, forwardLimit(facts));
  return checkedSize(facts, 'direct');
}

/** The most that one forwarded file may have: more where direct is asked for in vain. */
export function forwardLimit(
  facts: Pick<RouteFacts, 'mode' | 'isDirectOffered' | 'forwardMaxBytes' | 'fallbackMaxBytes'>,
): number {
  const isFallback = facts.mode === 'auto' && !facts.isDirectOffered;
  return isFallback ? Math.max(facts.forwardMaxBytes, facts.fallbackMaxBytes) : facts.forwardMaxBytes;
}

/** The error for a file over `limit`; says so when the direct route would carry it. */
export function tooLarge(facts: RouteFacts, limit: number): AppError {
  const channel = facts.channel ?? facts.defaultChannel;
  const directLimit = channelMaxBytes(channel);
  const wouldFit = directLimit > limit && (facts.size === null || facts.size <= directLimit);
  const suggestDirect = wouldFit && facts.isDirectOffered && !facts.isGroupSms && facts.mode !== 'direct';
  return overLimit(limit, channel, suggestDirect && facts.mode !== 'relay' ? { use: 'direct' } : {});
}

/** The error for a file over `limit` bytes on `channel`. */
export function overLimit(limit: number, channel: string, advice: { use?: 'direct' } = {}): AppError {
  return appError('FILE_TOO_LARGE', {
    params: { limit: sizeText(limit) },
    details: { limit, channel, ...advice },
  });
}

function groupSmsRoute(facts: RouteFacts): Route {
  if (facts.mode === 'direct' || facts.mode === 'relay') {
    const field = 'isGroupSms';
    throw appError('INVALID_FIELD', {
      message: 'INVALID_FIELD.groupSms',
      params: { field },
      details: { field },
    });
  }
  if (facts.fileCount > 1) throw tooManyFiles(1);
  if (facts.size !== null && facts.size > facts.forwardMaxBytes) throw tooLarge(facts, facts.forwardMaxBytes);
  return 'forward';
}

/** `route`, once the size is known to be within its limit. */
function checkedSize(facts: RouteFacts, route: Route): Route | 'wait' {
  const { size, channel } = facts;
  if (route === 'forward') {
    if (size !== null && size > facts.forwardMaxBytes) throw tooLarge(facts, facts.forwardMaxBytes);
    return route;
  }
  const limit = channelMaxBytes(channel ?? facts.defaultChannel);
  if (size === null || size <= limit) return route;
  const channelMayCome = channel === null && !facts.isComplete && size <= LARGEST_CHANNEL_BYTES;
  if (channelMayCome) return 'wait';
  // Whichever of the two ways takes more is what the client could have used.
  throw tooLarge(facts, facts.mode === 'auto' ? Math.max(limit, facts.forwardMaxBytes) : limit);
}
