/** Longest message of Leadway's that is passed on. */
const MAX_LENGTH = 500;
/** How much of it is looked at: the patterns below take time by the square of what they search. */
const MAX_SEARCHED = 1_000;

const SUSPECTS: readonly RegExp[] = [
  // Absolute URLs, signed or not, and anything else with a scheme.
  /\b[a-z][a-z0-9+.-]*:\/\/\S+/gi,
  /\bbearer\s+\S+/gi,
  // Private Integration Tokens and JWTs.
  /\bpit-[A-Za-z0-9-]+/gi,
  /\beyJ[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)*/g,
  // Query parameters of signed URLs that lost their host.
  /\bX-(?:Goog|Amz)-[A-Za-z-]+=[^\s&"]*/gi,
  // E-mail, IPv4 with a port, IPv6, host names with a known kind of ending, long runs of key-like characters.
  /\b[\w.+-]+@[\w-]+\.[\w.-]+/g,
  /\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b/g,
  /(?:\b[0-9a-f]{1,4})?(?:::?[0-9a-f]{1,4}){3,}\b|::1\b/gi,
  /\b(?:[a-z0-9-]+\.)+(?:com|net|org|io|dev|app|cloud|internal|local|svc|cluster)\b(?::\d+)?/gi,
  /\blocalhost(?::\d+)?/gi,
  /\b[A-Za-z0-9_+/-]{40,}={0,2}/g,
];

/**
 * `message` with everything taken out that looks like a token, a URL or an address, and every one of
 * `secrets`; control characters become spaces. What was taken out shows as `[removed]`.
 */
export function cleanMessage(message: string, secrets: readonly string[]): string {
  let cleaned = message.replace(/\p{Cc}+/gu, ' ');
  for (const secret of secrets) {
    if (secret !== '') cleaned = cleaned.replaceAll(secret, '[removed]');
  }
  if (cleaned.length > MAX_SEARCHED) cleaned = withoutLastWord(cleaned.slice(0, MAX_SEARCHED));
  for (const suspect of SUSPECTS) cleaned = cleaned.replace(suspect, '[removed]');
  return cleaned.trim().slice(0, MAX_LENGTH);
}

/** What was cut in two may no longer look like what it is. */
function withoutLastWord(text: string): string {
  return text.slice(0, text.lastIndexOf(' ') + 1);
}
