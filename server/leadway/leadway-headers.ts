/**
 * The one place where headers for Leadway are made; nothing of the client's request is among them.
 *
 * `Accept` is not optional: without it some endpoints were reported to respond 404 with no body. A request without
 * `Accept-Encoding` lets the server choose any compression (RFC 9110, section 12.5.3).
 *
 * @returns Names and values by turns, as `node:http` writes them at once, where it would take an object apart first. It
 *   adds no `Host` to such a list.
 */
export function toLeadwayHeaders(token: string, apiVersion: string): string[] {
  return [
    'Authorization',
    `Bearer ${token}`,
    'Version',
    apiVersion,
    'Accept',
    'application/json',
    'Accept-Encoding',
    'identity',
    'User-Agent',
    'leadway-bff',
  ];
}
