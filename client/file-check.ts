import type { ErrorFactory } from './messages.ts';
import type { ClientConfig, Delivery, UploadMode, UploadOptions } from './types.ts';
import type { UploadError } from './upload-error.ts';

/** The options of an upload that decide which files are accepted. */
export type CheckOptions = Pick<UploadOptions, 'channel' | 'mode'>;

/** Bidi overrides, embeddings and isolates; lone surrogates and replacement characters. */
const INVALID_IN_NAMES = /[\u202a-\u202e\u2066-\u2069\ufffd\p{Cs}]/u;
/** Control characters and direction marks, which the server strips. */
const STRIPPED = /[\p{Cc}\u200e\u200f\u061c]/gu;
/** A Windows stream name: `a.exe:.pdf`. */
const STREAM_NAME = /\.\d?[a-z][a-z0-9]{0,15}[\s.]*:/i;
const MAX_NAME_BYTES = 255;

/** The modes that can carry a file of this size, the cheapest first; empty when it is too large for all. */
export function modesFor(size: number, options: CheckOptions, config: ClientConfig): UploadMode[] {
  return requestedModes(options).filter((mode) => size <= limitOf(mode, options, config));
}

function requestedModes({ mode = 'auto' }: CheckOptions): UploadMode[] {
  return mode === 'auto' ? ['forward', 'direct', 'relay'] : [mode];
}

/** The largest file that a mode carries, in bytes; 0 where the server does not offer it. */
function limitOf(mode: UploadMode, options: CheckOptions, config: ClientConfig): number {
  const { forwardMaxBytes, directMaxBytes } = config.limits;
  if (mode === 'forward') return forwardMaxBytes;
  if (!config.modes.includes(mode)) return 0;
  return directMaxBytes[channelOf(options, config)] ?? directMaxBytes.default;
}

/** The largest file that can be uploaded, in bytes. */
export function maxBytesFor(options: CheckOptions, config: ClientConfig): number {
  return Math.max(...requestedModes(options).map((mode) => limitOf(mode, options, config)));
}

/** The name of the channel that counts, as the settings of the server have it. */
export function channelOf({ channel }: CheckOptions, { channels }: ClientConfig): string {
  return (channel || channels.default).toUpperCase();
}

/** The largest picture that the channel delivers, in bytes. */
export function maxPictureBytesFor(options: CheckOptions, config: ClientConfig): number | undefined {
  return config.delivery?.channels[channelOf(options, config)]?.kinds?.['image']?.maxBytes;
}

/** What speaks against the delivery of a file, as far as its name and size show; undefined if the server does not say. */
export function predictDelivery(
  { name, size }: File,
  options: CheckOptions,
  config: ClientConfig,
  { say }: ErrorFactory,
): Delivery | undefined {
  const warnings = config.delivery?.warnings;
  if (!warnings) return undefined;
  const found = (warnings[channelOf(options, config)] ?? []).filter(
    ({ aboveBytes, extensions }) =>
      size > aboveBytes && (!extensions || extensions.includes(extensionOf(name))),
  );
  const fatal = found.filter(({ verdict }) => verdict === 'unlikely');
  // Where a file will not arrive, no lesser concern matters.
  const worst = fatal.length ? fatal : found;
  return {
    verdict: worst[0]?.verdict ?? 'unknown',
    reasons: worst.map(({ code, message }) => {
      return { code, message: say([message, message], { size, filename: name }), file: name };
    }),
  };
}

/** The extension of a name in lower case; empty if it has none. */
export function extensionOf(name: string): string {
  return /.\.([^.]+)$/s.exec(name)?.[1]?.toLowerCase() ?? '';
}

/** The error that the server would reject a file with, as far as name and size tell; null when it would accept it. */
export function checkFile(
  file: File,
  options: CheckOptions,
  config: ClientConfig,
  { say, toError }: ErrorFactory,
): UploadError | null {
  const name = cleanName(file.name);
  if (name === null) return toError('BAD_FILENAME');
  const extension = extensionOf(name);
  const type = config.types.find(({ extensions }) => extensions.includes(extension));
  if (!type) {
    const allowed = config.types.flatMap(({ extensions }) => extensions);
    const { rejections } = config;
    const template = extension
      ? (rejections?.byExtension[extension] ?? rejections?.other)
      : rejections?.noExtension;
    const values = { filename: name, extension: `.${extension}`, allowed: allowed.join(', ').toUpperCase() };
    const details = { extension, declared: file.type || null, allowed };
    return toError('TYPE_NOT_ALLOWED', { details }, template && say([template, template], values));
  }
  if (!file.size) return toError('EMPTY_FILE');
  const { channel = config.channels.default, mode = 'auto' } = options;
  if (mode !== 'auto' && !config.modes.includes(mode)) {
    return toError('DIRECT_UNAVAILABLE', { status: 502, details: { use: 'forward' } });
  }
  const limit = maxBytesFor(options, config);
  return file.size > limit ? toError('FILE_TOO_LARGE', { details: { limit, channel } }) : null;
}

/** The name as the server reads it; null when the server would reject it. */
function cleanName(given: string): string | null {
  if (INVALID_IN_NAMES.test(given)) return null;
  const name = given
    .replace(STRIPPED, '')
    .normalize()
    .replace(/^.*[/\\]/su, '')
    .replace(/^\s+|[\s.]+$/g, '');
  return name && !STREAM_NAME.test(name) && new Blob([name]).size <= MAX_NAME_BYTES ? name : null;
}
