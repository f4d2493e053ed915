import { createHmac, createSecretKey, hkdfSync } from 'node:crypto';

/** Shows a secret as `marker`, with what came before it where that helps. */
type Show = (marker: string, found: string, ...groups: readonly (string | undefined)[]) => string;

/**
 * What secrets look like. For plain text and for lines of JSON: no pattern takes a backslash or a quote, so that a line
 * stays one, and the letter of a JSON escape (`\n`) counts as a gap between words. Each pattern takes the whole of what
 * may be a secret and `Show` decides: a search that started again inside it would take quadratic time for a long path.
 */
const SECRETS: readonly (readonly [RegExp, Show])[] = [
  [/(?:\b|(?<=\\[bfnrt]))(bearer)(?:\s|%20|\+)+[^\s"',\\]+/gi, (marker, _found, word) => `${word} ${marker}`],
  [/(?:\b|(?<=\\[bfnrt]))pit-[A-Za-z0-9-]+/gi, (marker) => marker],
  // JWTs and encrypted tickets begin with the base64url of `{"`.
  [
    /(?:\b|(?<=\\[bfnrt]))eyJ[A-Za-z0-9_-]+(\.[A-Za-z0-9_.-]*)?/g,
    (marker, found, rest) => (rest === undefined && found.length < MIN_JWT_CHARACTERS ? found : marker),
  ],
  [
    /(?:\b|(?<=\\[bfnrt]))(X-(?:Goog|Amz)-(?:Signature|Credential|Security-Token))=[^\s&"'\\]*/gi,
    (marker, _found, name) => `${name}=${marker}`,
  ],
];

/** A shorter one without a dot is a separate word. */
const MIN_JWT_CHARACTERS = 11;

/** One test for what every pattern needs: most text has none of it, and every log line passes. */
const MAYBE_SECRET = /:\/\/|bearer|pit-|eyJ|X-(?:Goog|Amz)-/i;

/** The query of a signed URL is what makes it one. */
const URL_QUERY = /(https?:\/\/[^\s?"'<>\\]+)(\?[^\s"'<>\\]*)?/gi;

/** `text` without tokens, tickets and the queries of URLs. For anything that goes into a log. */
export function redactText(text: string): string {
  if (!MAYBE_SECRET.test(text)) return text;
  const withoutQueries = text.replace(URL_QUERY, (found, address, query) =>
    query === undefined ? found : `${address}?[secret]`,
  );
  return replaceSecrets(withoutQueries, '[secret]');
}

const URL_USER = /\/\/\S*@/g;

/** `value` of a setting without passwords in URLs and without tokens, which do end up in the variable next to their own. */
export function redactValue(value: string): string {
  return replaceSecrets(value.replace(URL_USER, '//[hidden]@'), '[hidden]');
}

/** Longest message of Leadway's that is passed on. */
const MAX_MESSAGE_LENGTH = 500;
/** How much of it is searched: the patterns below take quadratic time. */
const MAX_SEARCHED = 1_000;

/** What says where Leadway's servers are, or could be a token. */
const ADDRESSES: readonly RegExp[] = [
  // Whatever follows the word, in quotes too, and every parameter of a signed URL that has lost its host.
  /\bbearer\s+\S+/gi,
  /\bX-(?:Goog|Amz)-[A-Za-z-]+=[^\s&"]*/gi,
  // Absolute URLs, signed or not, and anything else with a scheme.
  /\b[a-z][a-z0-9+.-]*:\/\/\S+/gi,
  // E-mail, IPv4 with a port, IPv6, host names with a known top-level domain, long runs of key-like characters.
  /\b[\w.+-]+@[\w-]+\.[\w.-]+/g,
  /\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b/g,
  /(?:\b[0-9a-f]{1,4})?(?:::?[0-9a-f]{1,4}){3,}\b|::1\b/gi,
  /\b(?:[a-z0-9-]+\.)+(?:com|net|org|io|dev|app|cloud|internal|local|svc|cluster)\b(?::\d+)?/gi,
  /\blocalhost(?::\d+)?/gi,
  /\b[A-Za-z0-9_+/-]{40,}={0,2}/g,
];

/**
 * `message` of Leadway's without anything that looks like a token, a URL or an address, and without `secrets`; control
 * characters become spaces. What was removed shows as `[removed]`.
 */
export function redactMessage(message: string, secrets: readonly string[]): string {
  let cleaned = message.replace(/\p{Cc}+/gu, ' ');
  for (const secret of secrets) {
    if (secret !== '') cleaned = cleaned.replaceAll(secret, '[removed]');
  }
  if (cleaned.length > MAX_SEARCHED) cleaned = withoutLastWord(cleaned.slice(0, MAX_SEARCHED));
  cleaned = replaceSecrets(cleaned, '[removed]');
  for (const address of ADDRESSES) cleaned = cleaned.replace(address, '[removed]');
  return cleaned.trim().slice(0, MAX_MESSAGE_LENGTH);
}

/** What was cut in two may no longer look like what it is. */
function withoutLastWord(text: string): string {
  return text.slice(0, text.lastIndexOf(' ') + 1);
}

function replaceSecrets(text: string, marker: string): string {
  let cleaned = text;
  for (const [pattern, show] of SECRETS) {
    cleaned = cleaned.replace(pattern, (found, ...groups) => show(marker, found, ...groups));
  }
  return cleaned;
}

/**
 * Makes what stands for a user in the log: the same user has the same hash on every replica with the same secret,
 * and without the secret it can't be found out whose it is by trying ids.
 */
export function createUserHash(secret: string): (userId: string) => string {
  const key = createSecretKey(new Uint8Array(hkdfSync('sha256', secret, '', 'leadway-bff user hash', 32)));
  const known = new Map<string, string>();
  return (userId) => {
    const hash = known.get(userId) ?? createHmac('sha256', key).update(userId).digest('hex').slice(0, 12);
    if (known.size >= MAX_KNOWN) known.clear();
    known.set(userId, hash);
    return hash;
  };
}

/** Users whose hashes are kept; a hash costs 3 % of a small upload. */
const MAX_KNOWN = 1_000;
