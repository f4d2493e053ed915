import type { OutgoingHttpHeaders } from 'node:http';

/**
 * The one place where headers for Leadway are made; nothing of the caller's request is among them.
 *
 * `Accept` is not optional: without it some endpoints were reported to answer 404 with no body.
 */
export function toLeadwayHeaders(token: string, apiVersion: string): OutgoingHttpHeaders {
  return {
    Authorization: `Bearer ${token}`,
    Version: apiVersion,
    Accept: 'application/json',
    'User-Agent': 'leadway-bff',
  };
}
