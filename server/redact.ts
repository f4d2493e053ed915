const SECRETS: readonly (readonly [RegExp, string])[] = [
  // The query of a signed URL is what makes it one.
  [/(https?:\/\/[^\s?"'<>]+)\?[^\s"'<>]*/gi, '$1?[secret]'],
  [/\b(bearer)\s+[^\s"',]+/gi, '$1 [secret]'],
  [/\bpit-[A-Za-z0-9-]+/gi, '[secret]'],
  // JWTs and encrypted tickets alike begin with the base64url of `{"`.
  [/\beyJ[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)+/g, '[secret]'],
  [/\b(X-(?:Goog|Amz)-(?:Signature|Credential))=[^\s&"']*/gi, '$1=[secret]'],
];

/** `text` without tokens, tickets and the queries of URLs. For anything that goes into a log. */
export function redactText(text: string): string {
  return SECRETS.reduce((cleaned, [pattern, replacement]) => cleaned.replace(pattern, replacement), text);
}
