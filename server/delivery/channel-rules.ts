import type { MediaKind } from './media-probe.ts';

/** What a channel delivers of one kind of media. */
export interface KindRule {
  /** Type names; other types are not delivered. */
  readonly formats: readonly string[];
  /** Largest file, in bytes; without it, that of the channel counts. */
  readonly maxBytes?: number;
  /** The codecs allowed for every track of a video or recording. */
  readonly videoCodecs?: readonly string[];
  readonly audioCodecs?: readonly string[];
  /** Whether a picture must have 8 bits a channel in RGB or grey. */
  readonly usualColours?: boolean;
}

/** What is known of a channel. `GET /config` serves it without its source. */
export interface ChannelRule {
  readonly source: string;
  /** When the source was read. */
  readonly date: string;
  /** Most bytes of all files of one message. */
  readonly maxBytesInAll?: number;
  /** Above this, some numbers can't send the message. */
  readonly tollFreeMaxBytes?: number;
  /** Without it, the channel takes files of any kind. */
  readonly kinds?: Readonly<Partial<Record<MediaKind, KindRule>>>;
  /** Kinds for which other formats may still arrive. */
  readonly uncertainKinds?: readonly MediaKind[];
}

const KB = 1024;
const MB = 1024 * 1024;

/** By the name of the channel. For a channel that is not here, nothing is known. */
export const CHANNEL_RULES: Readonly<Record<string, ChannelRule>> = {
  WHATSAPP: {
    source: 'https://developers.facebook.com/docs/whatsapp/cloud-api/reference/media',
    date: '2026-11-26',
    kinds: {
      image: { formats: ['jpg', 'png'], maxBytes: 5 * MB, usualColours: true },
      video: { formats: ['mp4', '3gp'], maxBytes: 16 * MB, videoCodecs: ['h264'], audioCodecs: ['aac'] },
      audio: {
        formats: ['aac', 'amr', 'mp3', 'm4a', 'ogg'],
        maxBytes: 16 * MB,
        audioCodecs: ['aac', 'amr', 'mp3', 'opus'],
      },
      document: {
        formats: ['pdf', 'doc', 'docx', 'ppt', 'pptx', 'xls', 'xlsx', 'txt'],
        maxBytes: 100 * MB,
      },
    },
    uncertainKinds: ['document'],
  },
  SMS: {
    source: 'https://www.twilio.com/docs/messaging/guides/accepted-mime-types',
    date: '2026-11-26',
    maxBytesInAll: 5 * MB,
    tollFreeMaxBytes: 600 * KB,
    kinds: { image: { formats: ['jpg', 'png', 'gif'] } },
    uncertainKinds: ['image', 'video', 'audio', 'document'],
  },
  EMAIL: {
    source: 'https://support.google.com/mail/answer/6584',
    date: '2026-11-26',
    maxBytesInAll: 25 * MB,
  },
};

/** The rule of a channel in any case; null if nothing is known. */
export function ruleOf(channel: string): ChannelRule | null {
  const name = channel.toUpperCase();
  return Object.hasOwn(CHANNEL_RULES, name) ? (CHANNEL_RULES[name] ?? null) : null;
}
