import { ID_PATTERN } from '../id-pattern.ts';
import { type JsonObject, parseJsonObject } from '../json-object.ts';
import { bad, good, listOf, type Parsed, type Parser } from './parsers.ts';
import { Secret } from './secrets.ts';

const LONGEST_TOKEN = 8192;

/** Ids of locations, as the contract has them. */
export function parseLocationId(raw: string): Parsed<string> {
  // A token has the form of an id too; as an id it would be printed.
  if (/^pit-/i.test(raw)) return bad('must be the id of a location, but looks like a token');
  return ID_PATTERN.test(raw) ? good(raw) : bad('must be 1 to 64 characters of A-Z a-z 0-9 _ -');
}

/**
 * A bearer token, what an `Authorization` header can carry after `Bearer `; or two of them, `new,old`, for the
 * days after a rotation in which both may be valid.
 */
export function parseToken(raw: string): Parsed<Secret> {
  if (/^bearer\s/i.test(raw)) return bad('must be the token alone, without Bearer in front');
  const tokens = raw.split(',');
  if (tokens.length > 2) return bad('must be one token, or two: new,old');
  if (!tokens.every((token) => token.length <= LONGEST_TOKEN && /^[!-~]+$/.test(token))) {
    return bad('must be a token of printable ASCII characters without blanks');
  }
  return good(new Secret(raw));
}

/** What a secret's file says: a byte order mark in front and newlines at the end are the editor's, not ours. */
export function parseSecretFile(text: string): Parsed<string> {
  const value = text.replace(/^\uFEFF/, '').replace(/[\r\n]+$/, '');
  return value === '' ? bad('names an empty file') : good(value);
}

/** The content of a token file, at start and whenever it is read again. */
export function parseTokenFile(text: string): Parsed<Secret> {
  const value = parseSecretFile(text);
  return value.ok ? parseToken(value.value) : value;
}

/** The content of `LEADWAY_TOKENS_FILE`: a JSON object of `{locationId: token}`. */
export function parseLocationTokens(text: string): Parsed<ReadonlyMap<string, Secret>> {
  const tokens = new Map<string, Secret>();
  for (const [id, token] of Object.entries(parseTokensObject(text))) {
    if (!ID_PATTERN.test(id)) return bad('names a file with a location id that is no id');
    const parsed = typeof token === 'string' ? parseToken(token) : bad('must be a string');
    if (!parsed.ok) return bad(`names a file whose token of ${id} ${parsed.problem}`);
    tokens.set(id, parsed.value);
  }
  if (tokens.size === 0) return bad('must name a file with a JSON object of {"locationId": "token"}');
  // JSON.parse keeps the last of two equal keys in silence, and the wrong token would be used.
  const keys = text.match(/"[A-Za-z0-9_-]{1,64}"\s*:/g) ?? [];
  return keys.length > tokens.size ? bad('names a file that lists a location twice') : good(tokens);
}

/** What the documents show; whoever has read them could forge what it seals. */
export const SEALING_EXAMPLE = 'example-only-make-your-own-with-openssl-rand';

/** Keys for sealing: a comma list, each long enough not to be guessed. */
export const parseSealingSecrets: Parser<readonly Secret[]> = listOf(function parseSealingSecret(raw) {
  if (raw === SEALING_EXAMPLE) return bad('must be a secret of your own, not the example of the documents');
  return raw.length < 32
    ? bad('must be a comma list of secrets, each at least 32 characters long')
    : good(new Secret(raw));
});

export function parseSharedSecret(raw: string): Parsed<Secret> {
  return /^[!-~]+$/.test(raw) ? good(new Secret(raw)) : bad('must be printable ASCII without blanks');
}

// The parser's own message quotes the text, and the text is made of tokens.
function parseTokensObject(text: string): JsonObject {
  try {
    return parseJsonObject(text.replace(/^\uFEFF/, ''));
  } catch {
    return {};
  }
}
