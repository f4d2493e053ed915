import type { ServerResponse } from 'node:http';

/**
 * Answers with `value` as JSON. Express's own `json` also makes an ETag, a hash of the body, and looks for
 * what a cache may have: nothing that an answer to a POST is for.
 */
export function sendJson(res: ServerResponse, status: number, value: unknown): void {
  const body = JSON.stringify(value);
  res.statusCode = status;
  res.setHeader('Content-Type', 'application/json; charset=utf-8');
  res.setHeader('Content-Length', Buffer.byteLength(body));
  res.end(body);
}
