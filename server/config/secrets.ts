import { inspect } from 'node:util';
import { parseJsonObject } from '../json-object.ts';
import { bad, good, ID_PATTERN, listOf, type Parsed, type Parser } from './parsers.ts';

const HIDDEN = '[secret]';

/** A value that no log line, error, JSON or template string can show by accident. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The value itself. Call it where the secret is used, and keep the result nowhere. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return HIDDEN;
  }

  toJSON(): string {
    return HIDDEN;
  }

  [inspect.custom](): string {
    return HIDDEN;
  }
}

const LONGEST_TOKEN = 8192;

/** The id of a location, as Leadway writes it. */
export function parseLocationId(raw: string): Parsed<string> {
  // A token has the form of an id too, and an id is printed.
  if (/^pit-/i.test(raw)) return bad('must be the id of a location, but looks like a token');
  return ID_PATTERN.test(raw) ? good(raw) : bad('must be 1 to 64 characters of A-Z a-z 0-9 _ -');
}

/** A bearer token; or two, `new,old`, for the days after a rotation in which both may be valid. */
export function parseToken(raw: string): Parsed<Secret> {
  if (/^bearer\s/i.test(raw)) return bad('must be the token alone, without Bearer in front');
  const tokens = raw.split(',');
  if (tokens.length > 2) return bad('must be one token, or two: new,old');
  if (!tokens.every((token) => token.length <= LONGEST_TOKEN && /^[!-~]+$/.test(token))) {
    return bad('must be a token of printable ASCII characters without spaces');
  }
  return good(new Secret(raw));
}

/** The example that the documents show. It is rejected: everyone could forge what it seals. */
export const SEALING_EXAMPLE = 'example-only-make-your-own-with-openssl-rand';

/** Keys for sealing: a comma list, each too long to be guessed. */
export const parseSealingSecrets: Parser<readonly Secret[]> = listOf(function parseSealingSecret(raw) {
  if (raw === SEALING_EXAMPLE) return bad('must be your own secret, not the example of the documents');
  return raw.length < 32
    ? bad('must be a comma list of secrets, each at least 32 characters long')
    : good(new Secret(raw));
});

export function parseSharedSecret(raw: string): Parsed<Secret> {
  return /^[!-~]+$/.test(raw) ? good(new Secret(raw)) : bad('must be printable ASCII without spaces');
}

/** Returns the text of a file, read as UTF-8. Throws if it can't be read. */
export type ReadFile = (path: string) => string;

/** Reads the file of a secret. A problem never quotes the content. */
export function readSecretFile(path: string, readFile: ReadFile): Parsed<string> {
  try {
    return trimSecret(readFile(path));
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    return bad(`names a file that cannot be read${typeof code === 'string' ? ` (${code})` : ''}`);
  }
}

/** Removes what editors add: a byte order mark in front and line breaks at the end. */
function trimSecret(text: string): Parsed<string> {
  const value = text.replace(/^\uFEFF/, '').replace(/[\r\n]+$/, '');
  return value === '' ? bad('names an empty file') : good(value);
}

/** The path as it may be printed: people do put the secret itself instead of its path. */
export function showPath(path: string): string {
  return /^(\/|\.\.?\/|~\/|[A-Za-z]:\\)[^{"]*$/.test(path)
    ? path
    : '(not shown: it does not begin like a path)';
}

/** The content of `LEADWAY_TOKEN_FILE`, at start and whenever it is read again. */
export function parseTokenFile(text: string): Parsed<Secret> {
  const value = trimSecret(text);
  return value.ok ? parseToken(value.value) : value;
}

/** The content of `LEADWAY_TOKENS_FILE`: a JSON object of `{locationId: token}`. */
export function parseLocationTokens(text: string): Parsed<ReadonlyMap<string, Secret>> {
  const tokens = new Map<string, Secret>();
  for (const [id, token] of Object.entries(parseTokensObject(text))) {
    if (!ID_PATTERN.test(id)) return bad('names a file with an invalid location id');
    const parsed = typeof token === 'string' ? parseToken(token) : bad('must be a string');
    if (!parsed.ok) return bad(`names a file whose token of ${id} ${parsed.problem}`);
    tokens.set(id, parsed.value);
  }
  if (tokens.size === 0) return bad('must name a file with a JSON object of {"locationId": "token"}');
  // JSON.parse silently keeps the last of two equal keys, and the wrong token would be used.
  const keys = text.match(/"[A-Za-z0-9_-]{1,64}"\s*:/g) ?? [];
  return keys.length > tokens.size ? bad('names a file that lists a location twice') : good(tokens);
}

/** An error of the JSON parser would quote the tokens: anything malformed becomes an empty object. */
function parseTokensObject(text: string): Readonly<Record<string, unknown>> {
  try {
    return parseJsonObject(text.replace(/^\uFEFF/, ''));
  } catch {
    return {};
  }
}
