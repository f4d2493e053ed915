const MIB = 1024 * 1024;

/** Largest file of a direct or relayed upload on any channel but these: the vendor's rule for signed URLs. */
const MAX_BYTES = 5 * MIB;
const MAX_BYTES_BY_CHANNEL: Readonly<Record<string, number>> = { WHATSAPP: 100 * MIB };

/** The channels with a limit of their own, by name, in bytes. */
export const CHANNEL_LIMITS = { default: MAX_BYTES, channels: MAX_BYTES_BY_CHANNEL } as const;

/** The most that any channel takes, in bytes. */
export const LARGEST_CHANNEL_BYTES = Math.max(MAX_BYTES, ...Object.values(MAX_BYTES_BY_CHANNEL));

/** Largest direct or relayed file of `channel`, in bytes. Forwarded files have a limit of our own instead. */
export function channelMaxBytes(channel: string): number {
  return Object.hasOwn(MAX_BYTES_BY_CHANNEL, channel)
    ? (MAX_BYTES_BY_CHANNEL[channel] ?? MAX_BYTES)
    : MAX_BYTES;
}
