import type { ErrorFactory } from './messages.ts';
import type { ClientConfig, UploadMode, UploadOptions } from './types.ts';
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
function limitOf(
  mode: UploadMode,
  { channel }: CheckOptions,
  { limits, modes, channels }: ClientConfig,
): number {
  if (mode === 'forward') return limits.forwardMaxBytes;
  const { directMaxBytes } = limits;
  const name = (channel || channels.default).toUpperCase();
  return modes.includes(mode) ? (directMaxBytes[name] ?? directMaxBytes.default) : 0;
}

/** The largest file that can be uploaded, in bytes. */
export function maxBytesFor(options: CheckOptions, config: ClientConfig): number {
  return Math.max(...requestedModes(options).map((mode) => limitOf(mode, options, config)));
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
  const extension = /.\.([^.]+)$/s.exec(name)?.[1]?.toLowerCase() ?? '';
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
