import { appError } from '../errors/app-error.ts';
import { badFilename } from '../errors/factories.ts';

const MAX_BYTES = 255;
/**
 * The given name may include a path. Normalizing and trimming take quadratic time: a 1 MB name, possible in JSON, would
 * block the process for minutes.
 */
const MAX_GIVEN_CHARACTERS = 1_024;

/**
 * Embeddings, overrides and isolates reorder what they enclose: in a file name they are only used to deceive, as in
 * `exe.<U+202E>gpj.pdf`.
 */
const BIDI_OVERRIDES = /[\u202a-\u202e\u2066-\u2069]/;
/**
 * Control characters and direction marks. The marks reorder nothing by themselves; keyboards and chat programs of
 * right-to-left languages add them.
 */
const HIDDEN = /[\p{Cc}\u200e\u200f\u061c]/gu;

/**
 * `a.exe:.pdf` is a stream named `.pdf` of the file `a.exe` to Windows (NTFS). A colon elsewhere, as in the time in
 * `2026-01-31 10:30.png`, is an ordinary character. An extension has a letter, and at most one digit before it (`.7z`,
 * `.3gp`).
 */
const NAMES_STREAM = /\.\d?[a-z][a-z0-9]{0,15}[\s.]*:/i;

/** What most files are called: a clean name as it is, with nothing to compose, remove or reject. */
const PLAIN = /^[\w(-][\w ().-]{0,253}[\w)-]$/;

/**
 * The name to use for a file that its sender calls `given`: NFC, without path, control characters, direction marks,
 * and spaces at its ends.
 *
 * @throws AppError `BAD_FILENAME` when nothing usable is left, the name is over 255 bytes of UTF-8, or it reads
 *   differently from what it is.
 */
export function cleanFileName(given: string): string {
  if (PLAIN.test(given)) return given;
  if (given.length > MAX_GIVEN_CHARACTERS) throw badFilename('tooLong');
  if (given.includes('\ufffd') || !given.isWellFormed()) throw badFilename('encoding');
  if (BIDI_OVERRIDES.test(given)) throw badFilename('direction');
  const visible = given.replace(HIDDEN, '').normalize('NFC');
  const base = visible.split(/[/\\]/).at(-1) ?? '';
  // Windows ignores dots and spaces at the end, so they would hide the extension from the person who opens it.
  const name = base.replace(/^\s+/, '').replace(/[\s.]+$/, '');
  if (name === '') throw appError('BAD_FILENAME');
  if (Buffer.byteLength(name) > MAX_BYTES) throw badFilename('tooLong');
  if (NAMES_STREAM.test(name)) throw badFilename('stream');
  return name;
}

/**
 * Gives out names that are distinct within one request, because the response maps names to URLs:
 * `a.png`, `a (2).png`.
 */
export function createNameRegister(): (name: string) => string {
  const taken = new Set<string>();
  return function register(name) {
    let unique = name;
    for (let count = 2; taken.has(unique); count++) unique = numbered(name, count);
    taken.add(unique);
    return unique;
  };
}

function numbered(name: string, count: number): string {
  const dot = name.lastIndexOf('.');
  const stem = dot > 0 ? name.slice(0, dot) : name;
  const ending = ` (${count})${dot > 0 ? name.slice(dot) : ''}`;
  return shorten(stem, MAX_BYTES - Buffer.byteLength(ending)) + ending;
}

/** The longest beginning of `text` that takes at most `maxBytes` of UTF-8. */
function shorten(text: string, maxBytes: number): string {
  let short = text;
  while (Buffer.byteLength(short) > maxBytes) short = [...short].slice(0, -1).join('');
  return short;
}
