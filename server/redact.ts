// For plain text and for lines of JSON: no pattern takes a backslash or a quote, so that a line stays one, and
// the letter of a JSON escape (`\n`) counts as a gap between words. What decides at its end whether it is a secret
// is taken whole either way: a search that began anew inside it would take time by the square of a long path.
type Replacement = string | ((found: string, ...groups: readonly (string | undefined)[]) => string);
const SECRETS: readonly (readonly [RegExp, Replacement])[] = [
  // The query of a signed URL is what makes it one.
  [
    /(https?:\/\/[^\s?"'<>\\]+)(\?[^\s"'<>\\]*)?/gi,
    (found, address, query) => (query === undefined ? found : `${address}?[secret]`),
  ],
  [/(?:\b|(?<=\\[bfnrt]))(bearer)(?:\s|%20|\+)+[^\s"',\\]+/gi, '$1 [secret]'],
  [/(?:\b|(?<=\\[bfnrt]))pit-[A-Za-z0-9-]+/gi, '[secret]'],
  // JWTs and encrypted tickets alike begin with the base64url of `{"`.
  [
    /(?:\b|(?<=\\[bfnrt]))eyJ[A-Za-z0-9_-]+(\.[A-Za-z0-9_.-]*)?/g,
    (found, rest) => (rest === undefined ? found : '[secret]'),
  ],
  [/(?:\b|(?<=\\[bfnrt]))(X-(?:Goog|Amz)-(?:Signature|Credential))=[^\s&"'\\]*/gi, '$1=[secret]'],
];

/** One look for what every pattern needs: most text has none of it, and every line of the log comes by. */
const MAYBE_SECRET = /:\/\/|bearer|pit-|eyJ|X-(?:Goog|Amz)-/i;

/** `text` without tokens, tickets and the queries of URLs. For anything that goes into a log. */
export function redactText(text: string): string {
  if (!MAYBE_SECRET.test(text)) return text;
  return SECRETS.reduce(
    (cleaned, [pattern, replacement]) =>
      typeof replacement === 'string'
        ? cleaned.replace(pattern, replacement)
        : cleaned.replace(pattern, replacement),
    text,
  );
}
