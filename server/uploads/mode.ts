import type { AppError } from '../errors/app-error.ts';
import { directUnavailable, fileTooLarge, invalidField, tooManyFiles } from '../errors/factories.ts';

export const MIB = 1024 * 1024;

/** Largest file of a direct or relayed upload on any channel but these: the vendor's rule for signed URLs. */
const MAX_BYTES = 5 * MIB;
const MAX_BYTES_BY_CHANNEL: Readonly<Record<string, number>> = { WHATSAPP: 100 * MIB };

/** Limits by channel, in bytes. */
export const CHANNEL_LIMITS = { default: MAX_BYTES, channels: MAX_BYTES_BY_CHANNEL } as const;

/** The largest of them. */
export const LARGEST_CHANNEL_BYTES = Math.max(MAX_BYTES, ...Object.values(MAX_BYTES_BY_CHANNEL));

/** Largest direct or relayed file of `channel`, in bytes. Forwarded files have our own limit instead. */
export function channelMaxBytes(channel: string): number {
  return Object.hasOwn(MAX_BYTES_BY_CHANNEL, channel)
    ? (MAX_BYTES_BY_CHANNEL[channel] ?? MAX_BYTES)
    : MAX_BYTES;
}

/** The modes that a client may ask for; `auto` leaves the choice to the server. */
export const MODES = ['auto', 'forward', 'direct', 'relay'] as const;

export type RequestedMode = (typeof MODES)[number];

/** How a file is uploaded. */
export type Mode = Exclude<RequestedMode, 'auto'>;

/** Whether `mode` puts files in storage with a signed URL. For `auto`, that is not decided yet. */
export function goesToStorage(mode: RequestedMode): boolean {
  return mode === 'direct' || mode === 'relay';
}

/** What the choice of a mode depends on. */
export interface ModeFacts {
  readonly mode: RequestedMode;
  readonly isGroupSms: boolean;
  /** Whether the file is private. Only `forward` supports that. */
  readonly isSecureAttachment: boolean;
  readonly fileCount: number;
  /** Size of the one file in bytes: declared, or certain from the length of the body; null when unknown. */
  readonly size: number | null;
  /** Null while the field has not come. */
  readonly channel: string | null;
  readonly defaultChannel: string;
  /** Whether the form has arrived whole, so that no more fields can come. */
  readonly isComplete: boolean;
  readonly isDirectOffered: boolean;
  /** Whether files may go to storage without passing this server: no scan sees those. */
  readonly isDirectAllowed: boolean;
  readonly forwardMaxBytes: number;
  readonly fallbackMaxBytes: number;
}

/**
 * Chooses the mode of an upload by what is known so far; `undecided` when it depends on a field that may still come.
 *
 * @throws AppError `INVALID_FIELD` for a group SMS or a private file in another mode than forward, `FILE_TOO_LARGE`,
 *   `TOO_MANY_FILES` for several files of which one can't be forwarded.
 */
export function chooseMode(facts: ModeFacts): Mode | 'undecided' {
  const { mode, fileCount } = facts;
  if (forwardOnlyField(facts) !== null) return forwardOnlyMode(facts);
  if (mode === 'direct' && !facts.isDirectAllowed) throw directUnavailable('relay');
  if (mode === 'direct' && fileCount > 1) throw tooManyFiles(1);
  if (mode !== 'auto') return checkedSize(facts, mode);
  if (facts.size === null || facts.size <= forwardLimit(facts)) return 'forward';
  if (!facts.isDirectOffered || fileCount > 1) throw tooLarge(facts, forwardLimit(facts));
  return checkedSize(facts, facts.isDirectAllowed ? 'direct' : 'relay');
}

/** Largest forwarded file in bytes: larger where `auto` would choose direct and Leadway does not offer it. */
export function forwardLimit(
  facts: Pick<ModeFacts, 'mode' | 'isDirectOffered' | 'forwardMaxBytes' | 'fallbackMaxBytes'>,
): number {
  const isFallback = facts.mode === 'auto' && !facts.isDirectOffered;
  return isFallback ? Math.max(facts.forwardMaxBytes, facts.fallbackMaxBytes) : facts.forwardMaxBytes;
}

/** The error for a file over `limit`; suggests the mode in which the file would fit. */
export function tooLarge(facts: ModeFacts, limit: number): AppError {
  const channel = facts.channel ?? facts.defaultChannel;
  const directLimit = channelMaxBytes(channel);
  const wouldFit = directLimit > limit && (facts.size === null || facts.size <= directLimit);
  const use = facts.isDirectAllowed ? 'direct' : 'relay';
  const takesAll = use === 'relay' || facts.fileCount <= 1;
  const mayGoThere = !goesToStorage(facts.mode) && forwardOnlyField(facts) === null;
  const hasOther = wouldFit && takesAll && facts.isDirectOffered && mayGoThere;
  return fileTooLarge(limit, channel, hasOther ? { use } : {});
}

/** The field that rules out every mode but forward, if one does. */
export function forwardOnlyField(
  facts: Partial<Readonly<Record<'isGroupSms' | 'isSecureAttachment', boolean | null>>>,
): 'isGroupSms' | 'isSecureAttachment' | null {
  if (facts.isGroupSms) return 'isGroupSms';
  return facts.isSecureAttachment ? 'isSecureAttachment' : null;
}

/** @throws AppError `INVALID_FIELD` when a field rules out direct and relay. */
export function assertNotForwardOnly(facts: Parameters<typeof forwardOnlyField>[0]): void {
  const field = forwardOnlyField(facts);
  if (field !== null) throw invalidField(field, field === 'isGroupSms' ? 'groupSms' : 'secureAttachment');
}

function forwardOnlyMode(facts: ModeFacts): Mode {
  if (goesToStorage(facts.mode)) assertNotForwardOnly(facts);
  if (facts.isGroupSms && facts.fileCount > 1) throw tooManyFiles(1);
  const limit = facts.isGroupSms ? facts.forwardMaxBytes : forwardLimit(facts);
  if (facts.size !== null && facts.size > limit) throw tooLarge(facts, limit);
  return 'forward';
}

/** `chosen`, if the size is within its limit. */
function checkedSize(facts: ModeFacts, chosen: Mode): Mode | 'undecided' {
  const { size, channel } = facts;
  if (chosen === 'forward') {
    if (size !== null && size > facts.forwardMaxBytes) throw tooLarge(facts, facts.forwardMaxBytes);
    return chosen;
  }
  const limit = channelMaxBytes(channel ?? facts.defaultChannel);
  if (size === null || size <= limit) return chosen;
  const channelMayCome = channel === null && !facts.isComplete && size <= LARGEST_CHANNEL_BYTES;
  if (channelMayCome) return 'undecided';
  // Either mode was possible, so report the larger limit.
  throw tooLarge(facts, facts.mode === 'auto' ? Math.max(limit, facts.forwardMaxBytes) : limit);
}
