import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

const WELL_FORMED = /^[A-Za-z0-9._:=+/-]{1,128}$/;

const ID = Symbol('request id');

type WithId = IncomingMessage & { [ID]?: string };

/**
 * The id of the request: the proxy's `X-Request-Id` if it is well-formed, otherwise a new UUID. Always the same for one
 * request.
 */
export function requestIdOf(req: WithId): string {
  const known = req[ID];
  if (known !== undefined) return known;
  const id = toRequestId(req.headers['x-request-id']);
  req[ID] = id;
  return id;
}

/** `given` if it is well-formed, otherwise a new UUID. */
export function toRequestId(given: string | string[] | undefined): string {
  return typeof given === 'string' && WELL_FORMED.test(given) ? given : randomUUID();
}
