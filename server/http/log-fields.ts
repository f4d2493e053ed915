import type { IncomingMessage } from 'node:http';
import type { AppError } from '../errors/app-error.ts';
import type { Mode } from '../uploads/mode.ts';

/** What a line of the access log adds to the HTTP facts. `docs/deployment/logs.md` explains each field. */
export interface LogFields {
  /** The error that was sent. */
  error?: AppError;
  /** The id of the trace, with `OTEL_EXPORTER_OTLP_ENDPOINT`. */
  traceId?: string;
  /** The `Host` of a request that was rejected for its origin or host. */
  host?: string;
  /** The setting that would allow it. */
  fix?: string;
  /** The pattern of the route, where the path holds ids. */
  route?: string;
  /** The rate limit that the request exceeded. */
  limit?: 'requests' | 'address' | 'failures';
  /** How the file reached Leadway. */
  mode?: Mode;
  /** Stands for the user; see `createUserHash`. */
  userHash?: string;
  /** A location that the user may use. */
  locationId?: string;
  /** How many files were accepted. */
  files?: number;
  /** Bytes of file content that arrived. */
  bytes?: number;
  /** Canonical type of the (first) file. */
  contentType?: string;
  /** The response was remembered from an earlier request with the same `Idempotency-Key`; not in the log. */
  isRepeat?: true;
  /** Status of the last response from Leadway or storage. */
  upstreamStatus?: number;
  /** Time from the first byte sent upstream to its response, in milliseconds. */
  upstreamMs?: number;
}

/** A property of the request, because a WeakMap would cost the garbage collector more. */
const LOG_FIELDS = Symbol('log fields');

type WithLogFields = IncomingMessage & { [LOG_FIELDS]?: LogFields };

/** Adds fields to the log line of `req`. */
export function addLogFields(req: WithLogFields, facts: LogFields): void {
  Object.assign(logFieldsOf(req), facts);
}

/** The fields of the log line of `req`, to be written to. */
export function logFieldsOf(req: WithLogFields): LogFields {
  req[LOG_FIELDS] ??= {};
  return req[LOG_FIELDS];
}
