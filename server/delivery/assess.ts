import { appError } from '../errors/app-error.ts';
import {
  fillPlaceholders,
  formatMessage,
  type Language,
  type Localised,
  localise,
  sizeText,
} from '../errors/messages.ts';
import { FILE_TYPES, type FileType, type TypePolicy } from '../file-types/file-types.ts';
import { CHANNEL_RULES, type ChannelRule, type KindRule, ruleOf } from './channel-rules.ts';
import { kindOf, type Media } from './media-probe.ts';
import { REASONS, type ReasonCode } from './reasons.ts';

export type Verdict = 'ok' | 'warning' | 'unlikely' | 'unknown';

/** Why a file may not be delivered; small enough to seal in a ticket. */
export interface Reason {
  readonly code: ReasonCode;
  readonly file: string;
  /** Values for the placeholders of its message; sizes in bytes. */
  readonly params: Readonly<Record<string, string | number>>;
}

/** What is expected of the delivery, in no language. */
export interface Assessment {
  readonly verdict: Verdict;
  readonly reasons: readonly Reason[];
}

/** For a file that was not assessed. */
export const NOT_ASSESSED: Assessment = { verdict: 'unknown', reasons: [] };

/** The `delivery` of a response. */
export interface Delivery {
  readonly verdict: Verdict;
  readonly reasons: readonly { readonly code: ReasonCode; readonly message: string; readonly file: string }[];
}

/** A file, as far as its bytes have been seen. */
export interface DeliverableFile {
  readonly name: string;
  /** In bytes; null if it is not known. */
  readonly size: number | null;
  readonly media: Media;
}

/** From best to worst: the worst file decides. */
const ORDER: readonly Verdict[] = ['ok', 'unknown', 'warning', 'unlikely'];

/** How the channel will handle the files of one message. */
export function assessDelivery(channel: string, files: readonly DeliverableFile[]): Assessment {
  const rule = ruleOf(channel);
  const reasons = files.flatMap((file) =>
    rule === null ? [unknownChannel(file, channel)] : reasonsFor(file, rule),
  );
  if (rule !== null) reasons.push(...reasonsForAll(files, rule));
  const verdicts: readonly Verdict[] = reasons.map(({ code }) => REASONS[code].verdict);
  return { verdict: ORDER.findLast((verdict) => verdicts.includes(verdict)) ?? 'ok', reasons };
}

/** What speaks against files by their name and size, for a client that warns before it sends them. */
export interface PredictableWarning {
  readonly code: ReasonCode;
  readonly verdict: 'warning' | 'unlikely';
  /** Of the files that it concerns; all files where it has none. */
  readonly extensions?: readonly string[];
  /** It concerns larger files only. */
  readonly aboveBytes: number;
  /** With the places `{size}` and `{filename}`. */
  readonly message: string;
}

/** All that can be known of the accepted types before any byte is seen, by channel. */
export function predictableWarnings(
  { allowed }: TypePolicy,
  language: Language,
): Readonly<Record<string, readonly PredictableWarning[]>> {
  const types: readonly FileType[] = Object.values(FILE_TYPES);
  const toWarnings = (rule: ChannelRule): PredictableWarning[] => {
    const sizes = [Number.POSITIVE_INFINITY, rule.maxBytesInAll ?? 0];
    const ofAll = sizes.flatMap((size) => reasonsForAll([fileOf({ name: '', family: null }, size)], rule));
    const ofTypes = types.flatMap((type) => {
      const extensions = type.extensions.filter((extension) => allowed.has(extension));
      const reasons = extensions.length > 0 ? reasonsFor(fileOf(type, Number.POSITIVE_INFINITY), rule) : [];
      return reasons.flatMap((reason) => toWarning(reason, language, extensions));
    });
    return mergeByMessage([...ofTypes, ...ofAll.flatMap((reason) => toWarning(reason, language))]);
  };
  return Object.fromEntries(Object.entries(CHANNEL_RULES).map(([name, rule]) => [name, toWarnings(rule)]));
}

function fileOf({ name, family }: Pick<FileType, 'name' | 'family'>, size: number): DeliverableFile {
  const media = { kind: kindOf(family), format: name, codecs: null, hasUsualColours: null };
  return { name: '{filename}', size, media };
}

function toWarning(reason: Reason, language: Language, extensions?: readonly string[]): PredictableWarning[] {
  const { code, params } = reason;
  const { verdict } = REASONS[code];
  if (verdict === 'unknown') return [];
  const said = messageOf({ ...reason, params: { ...params, size: '{size}' } });
  const filename = reason.file;
  const message =
    verdict === 'unlikely'
      ? formatMessage('NOT_DELIVERABLE', language, { reason: said, filename })
      : said[language];
  return [
    { code, verdict, ...(extensions && { extensions }), aboveBytes: Number(params['limit'] ?? 0), message },
  ];
}

/** Types of which the same is said share a warning. */
function mergeByMessage(warnings: readonly PredictableWarning[]): PredictableWarning[] {
  const merged = new Map<string, PredictableWarning>();
  for (const warning of warnings) {
    const { extensions } = warning;
    const earlier = merged.get(warning.message)?.extensions ?? [];
    merged.set(warning.message, {
      ...warning,
      ...(extensions && { extensions: [...earlier, ...extensions] }),
    });
  }
  return [...merged.values()];
}

/** Puts an assessment into words. */
export function toDelivery({ verdict, reasons }: Assessment, language: Language): Delivery {
  return {
    verdict,
    reasons: reasons.map((reason) => ({
      code: reason.code,
      message: messageOf(reason)[language],
      file: reason.file,
    })),
  };
}

/** @throws AppError `NOT_DELIVERABLE` when the files will not arrive. */
export function assertDeliverable({ verdict, reasons }: Assessment): void {
  if (verdict !== 'unlikely') return;
  const fatal = reasons.find(({ code }) => REASONS[code].verdict === 'unlikely');
  if (fatal === undefined) return;
  throw appError('NOT_DELIVERABLE', {
    params: { filename: fatal.file, reason: messageOf(fatal) },
    details: { filename: fatal.file, reasons: reasons.map(({ code, file }) => ({ code, file })) },
  });
}

function messageOf({ code, params }: Reason): Localised {
  const values = Object.fromEntries(
    Object.entries(params).map(([name, value]) => [
      name,
      typeof value === 'number' ? sizeText(value) : value,
    ]),
  );
  return localise((language) => fillPlaceholders(REASONS[code].message, language, values));
}

function unknownChannel({ name: file }: DeliverableFile, channel: string): Reason {
  return { code: 'CHANNEL_NOT_KNOWN', file, params: { channel } };
}

function reasonsFor({ name: file, size, media }: DeliverableFile, rule: ChannelRule): Reason[] {
  if (rule.kinds === undefined) return [];
  const kind = rule.kinds[media.kind];
  if (!kind?.formats.includes(media.format)) {
    const code = rule.uncertainKinds?.includes(media.kind) ? 'FORMAT_MAY_BE_DROPPED' : 'FORMAT_NOT_DELIVERED';
    const formats = Object.values(rule.kinds).flatMap(({ formats: some }) => some);
    return [
      { code, file, params: { format: media.format.toUpperCase(), formats: list(kind?.formats ?? formats) } },
    ];
  }
  return [...sizeReasons(file, size, kind), ...contentReasons(file, media, kind)];
}

function sizeReasons(file: string, size: number | null, { maxBytes }: KindRule): Reason[] {
  if (maxBytes === undefined) return [];
  if (size === null) return [{ code: 'SIZE_NOT_KNOWN', file, params: {} }];
  return size > maxBytes
    ? [{ code: 'FILE_TOO_LARGE_FOR_CHANNEL', file, params: { size, limit: maxBytes } }]
    : [];
}

function contentReasons(
  file: string,
  { codecs, hasUsualColours }: Media,
  { videoCodecs, audioCodecs, usualColours }: KindRule,
): Reason[] {
  if (usualColours && hasUsualColours === false) return [{ code: 'COLOURS_NOT_DELIVERED', file, params: {} }];
  if (audioCodecs === undefined) return [];
  if (codecs === null) return [{ code: 'CODEC_NOT_SEEN', file, params: {} }];
  const reasons: Reason[] = [];
  if (
    videoCodecs !== undefined &&
    (codecs.video.length === 0 || codecs.video.some((codec) => !videoCodecs.includes(codec)))
  ) {
    const found = codecs.video.find((codec) => !videoCodecs.includes(codec)) ?? '-';
    reasons.push({ code: 'VIDEO_CODEC_NOT_DELIVERED', file, params: { codec: found.toUpperCase() } });
  }
  const audio = codecs.audio.find((codec) => !audioCodecs.includes(codec));
  if (audio !== undefined) {
    reasons.push({
      code: 'AUDIO_CODEC_NOT_DELIVERED',
      file,
      params: { codec: audio.toUpperCase(), codecs: list(audioCodecs) },
    });
  }
  if (videoCodecs !== undefined && codecs.audio.length > 1)
    reasons.push({ code: 'SEVERAL_AUDIO_TRACKS', file, params: {} });
  return reasons;
}

/** Limits on the total size; reported for the last file. */
function reasonsForAll(files: readonly DeliverableFile[], rule: ChannelRule): Reason[] {
  const { maxBytesInAll, tollFreeMaxBytes } = rule;
  const last = files.at(-1);
  if (maxBytesInAll === undefined || last === undefined) return [];
  const file = last.name;
  const size = files.reduce((sum, { size: bytes }) => sum + (bytes ?? 0), 0);
  if (size > maxBytesInAll)
    return [{ code: 'MESSAGE_TOO_LARGE', file, params: { size, limit: maxBytesInAll } }];
  if (files.some(({ size: bytes }) => bytes === null)) return [{ code: 'SIZE_NOT_KNOWN', file, params: {} }];
  if (tollFreeMaxBytes !== undefined && size > tollFreeMaxBytes) {
    return [{ code: 'TOO_LARGE_FOR_TOLL_FREE', file, params: { size, limit: tollFreeMaxBytes } }];
  }
  return [];
}

function list(names: readonly string[]): string {
  return names.join(', ').toUpperCase();
}
