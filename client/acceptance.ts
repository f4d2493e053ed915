import type { ErrorMaker } from './messages.ts';
import { typeWords } from './type-words.ts';
import type { ClientConfig, UploadMode, UploadOptions } from './types.ts';
import type { UploadError } from './upload-error.ts';

/** What is asked of a file. */
export type Wish = Pick<UploadOptions, 'channel' | 'mode'>;

/** Characters that change the direction of what follows, and what is no character at all. */
const NOT_FOR_NAMES = /[\u202a-\u202e\u2066-\u2069\ufffd\p{Cs}]/u;
/** Control characters and direction marks, which the server strips. */
const HIDDEN = /[\p{Cc}\u200e\u200f\u061c]/gu;
/** A stream beside a file, to Windows: `a.exe:.pdf`. */
const NAMES_STREAM = /\.\d?[a-z][a-z0-9]{0,15}[\s.]*:/i;
const MAX_NAME_BYTES = 255;

/** The ways that can carry a file of this size, the cheapest first; none when it is too large for all. */
export function waysFor(size: number, wish: Wish, config: ClientConfig): UploadMode[] {
  return waysOf(wish).filter((way) => size <= limitOf(way, wish, config));
}

function waysOf({ mode = 'auto' }: Wish): UploadMode[] {
  return mode === 'auto' ? ['forward', 'direct', 'relay'] : [mode];
}

/** The most that a way carries, in bytes; 0 where it is not on offer and nobody asks for it by name. */
function limitOf(way: UploadMode, { channel }: Wish, { limits, modes, channels }: ClientConfig): number {
  if (way === 'forward') return limits.forwardMaxBytes;
  const { directMaxBytes } = limits;
  const name = (channel || channels.default).toUpperCase();
  return modes.includes(way) ? (directMaxBytes[name] ?? directMaxBytes.default) : 0;
}

/** What the server would reject a file for, as far as name and size tell; null for nothing. */
export function refusalOf(
  file: File,
  wish: Wish,
  config: ClientConfig,
  { language, toError }: ErrorMaker,
): UploadError | null {
  const name = cleanName(file.name);
  if (name === null) return toError('BAD_FILENAME');
  const extension = /.\.([^.]+)$/s.exec(name)?.[1]?.toLowerCase() ?? '';
  const type = config.types.find(({ extensions }) => extensions.includes(extension));
  if (!type) {
    const allowed = config.types.flatMap(({ extensions }) => extensions);
    const details = { extension, declared: file.type, allowed };
    return toError('TYPE_NOT_ALLOWED', { details }, typeWords(extension, allowed, language === 'es'));
  }
  if (!file.size) return toError('EMPTY_FILE');
  const { channel = config.channels.default, mode = 'auto' } = wish;
  if (mode !== 'auto' && !config.modes.includes(mode)) {
    return toError('DIRECT_UNAVAILABLE', { status: 502, details: { use: 'forward' } });
  }
  const limit = Math.max(...waysOf(wish).map((way) => limitOf(way, wish, config)));
  return file.size > limit ? toError('FILE_TOO_LARGE', { details: { limit, channel } }) : null;
}

/** The name as the server understands it; null where it refuses it. */
function cleanName(given: string): string | null {
  if (NOT_FOR_NAMES.test(given)) return null;
  const name = given
    .replace(HIDDEN, '')
    .normalize()
    .replace(/^.*[/\\]/su, '')
    .replace(/^\s+|[\s.]+$/g, '');
  return name && !NAMES_STREAM.test(name) && new Blob([name]).size <= MAX_NAME_BYTES ? name : null;
}
