import type { IncomingMessage } from 'node:http';
import type { AppError } from '../errors/app-error.ts';

/** What is known of a request's outcome beyond its status; one line of the access log. */
export interface Outcome {
  /** The error that was answered. */
  error?: AppError;
  /** How the file travelled. */
  mode?: 'forward' | 'direct' | 'relay';
  /** How many files were accepted. */
  files?: number;
  /** Bytes of file content that arrived. */
  fileBytes?: number;
  /** Canonical type of the (first) file. */
  contentType?: string;
  /** Status of the last answer from Leadway or storage. */
  upstreamStatus?: number;
  /** Time from the first byte sent upstream to its answer, in milliseconds. */
  upstreamMs?: number;
  /** Leadway's own trace id. */
  upstreamTraceId?: string;
}

/** Where a request keeps its outcome; a WeakMap would be one more thing to walk for every collection. */
const OUTCOME = Symbol('outcome');

type WithOutcome = IncomingMessage & { [OUTCOME]?: Outcome };

/** Adds facts to the outcome of `req`. */
export function noteOutcome(req: WithOutcome, facts: Outcome): void {
  req[OUTCOME] = { ...req[OUTCOME], ...facts };
}

/** What is known of the outcome of `req`. */
export function outcomeOf(req: WithOutcome): Outcome {
  return req[OUTCOME] ?? {};
}
