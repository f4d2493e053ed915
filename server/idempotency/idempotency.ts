import { createHash, randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { type AppError, appError, toAppError } from '../errors/app-error.ts';
import { invalidField } from '../errors/factories.ts';
import { LEADING_BYTES } from '../file-types/file-types.ts';
import type { LogFields } from '../http/log-fields.ts';
import { cameFromLeadway } from '../leadway/errors.ts';
import type { Logger } from '../logger.ts';
import { createSealer } from '../sealing.ts';
import { type Claim, type IdempotencyStore, LEASE_MS } from './store.ts';

/** The header of the IETF draft draft-ietf-httpapi-idempotency-key-header. */
export const IDEMPOTENCY_HEADER = 'Idempotency-Key';
const HEADER_KEY = IDEMPOTENCY_HEADER.toLowerCase();

/** The shape of a key. */
export const KEY_PATTERN = /^[A-Za-z0-9_-]{1,128}$/;
/** Larger outcomes are not remembered: a repeat gets `IDEMPOTENCY_UNKNOWN`. */
const MAX_OUTCOME_CHARACTERS = 16 * 1024;
/** How often a repeat looks whether the first request has ended, in milliseconds. */
const POLL_MS = 100;

/** Errors after the commit that leave open whether Leadway has the file. */
const UNKNOWN_OUTCOMES: ReadonlySet<string> = new Set([
  'UPSTREAM_TIMEOUT',
  'UPSTREAM_ABORTED',
  'UPSTREAM_ERROR',
  'INTERNAL',
  'SIZE_MISMATCH', // Leadway has completed the file
]);

/** What an earlier request with the same key has come to. */
export interface RecordedRequest {
  /**
   * Its outcome, for a request with the same fingerprint.
   *
   * @throws AppError `IDEMPOTENCY_MISMATCH` if this is another request; `IDEMPOTENCY_UNKNOWN` if the outcome is unknown.
   */
  outcomeFor(fingerprint: string): unknown;
}

/** Makes one request happen at most once. Send nothing upstream before {@link begin} resolves to null. */
export interface IdempotentRequest {
  /**
   * Resolves to null for the first request with its key. A repeat waits for the first and resolves to its outcome; if
   * the first failed and its failure is not remembered, the repeat takes its place.
   */
  begin(locationId: string, signal: AbortSignal): Promise<RecordedRequest | null>;
  /** The next bytes may complete the request at Leadway. */
  commit(fingerprint: string): Promise<void>;
  /** It has succeeded; `outcome` is what a repeat gets. */
  succeed(fingerprint: string, outcome: object): Promise<void>;
  /**
   * It has failed. After the commit, `error` says whether the outcome is known.
   *
   * @param isPartial Whether one of several files may be at Leadway already. Default false.
   */
  fail(error: AppError, isPartial?: boolean): Promise<void>;
  /**
   * The error to respond with, before {@link fail}. If the outcome is unknown, a retry can't succeed, so the error is made
   * non-retryable.
   */
  toClientError(error: AppError, isPartial?: boolean): AppError;
}

/** Makes the {@link IdempotentRequest} of each request that brings a key. */
export interface Idempotency {
  /**
   * Null for a request without a key.
   *
   * @param endpoint Keys of different endpoints have nothing to do with each other.
   * @throws AppError `INVALID_FIELD`
   */
  requestOf(
    request: Pick<IncomingMessage, 'headersDistinct'>,
    client: string,
    endpoint: 'upload' | 'initiate' | 'complete',
  ): IdempotentRequest | null;
}

/** @param secrets Seal the outcomes, which hold signed URLs. */
export function createIdempotency(
  store: IdempotencyStore,
  secrets: readonly string[],
  logger: Logger,
): Idempotency {
  const sealer = createSealer('idempotent-outcome', secrets);
  return {
    requestOf({ headersDistinct }, client, endpoint) {
      const [value, ...others] = headersDistinct[HEADER_KEY] ?? [];
      if (value === undefined) return null;
      if (others.length > 0 || !KEY_PATTERN.test(value))
        throw invalidField(IDEMPOTENCY_HEADER, 'idempotencyKey');
      return createRequest(value, client, endpoint);
    },
  };

  function createRequest(value: string, client: string, endpoint: string): IdempotentRequest {
    const owner = randomUUID();
    let claim: Claim | null = null;
    let committed: string | null = null;
    let renewal: NodeJS.Timeout | undefined;
    const end = (ending: (claim: Claim) => Promise<void>): Promise<void> => {
      clearInterval(renewal);
      const ended = claim;
      claim = null;
      return ended === null ? Promise.resolve() : ending(ended);
    };
    const isUnknown = (error: AppError, isPartial: boolean): boolean =>
      committed !== null && (isPartial || (UNKNOWN_OUTCOMES.has(error.code) && !cameFromLeadway(error)));
    const seal = (outcome: object): string | null => {
      const sealed = sealer.seal({ outcome });
      return sealed.length <= MAX_OUTCOME_CHARACTERS ? sealed : null;
    };
    return {
      async begin(locationId, signal) {
        if (claim !== null) return null;
        const wanted = { client, owner, key: JSON.stringify([client, locationId, endpoint, value]) };
        for (;;) {
          const entry = await store.take(wanted);
          if (entry === null) break;
          if (entry.state !== 'running')
            return toRecorded(entry.fingerprint, 'outcome' in entry ? entry.outcome : null);
          signal.throwIfAborted();
          await sleep(POLL_MS, undefined, { signal });
        }
        claim = wanted;
        renewal = setInterval(() => {
          store.renew(wanted).catch((err) => logger.debug({ err }, 'a lease could not be renewed'));
        }, LEASE_MS / 3);
        renewal.unref();
        if (signal.aborted) await this.fail(appError('UPSTREAM_ABORTED'));
        signal.throwIfAborted();
        return null;
      },
      async commit(fingerprint) {
        if (claim === null) return;
        const isOwned = await store.commit(claim, fingerprint);
        // Another request has taken the key meanwhile, and may have been sent.
        if (!isOwned) throw appError('IDEMPOTENCY_UNKNOWN');
        committed = fingerprint;
      },
      succeed: (fingerprint, outcome) => end((ended) => store.finish(ended, fingerprint, seal(outcome))),
      fail(error, isPartial = false) {
        return end((ended) => {
          if (committed === null || !isUnknown(error, isPartial)) return store.release(ended);
          return store.finish(ended, committed, null);
        });
      },
      toClientError(error, isPartial = false) {
        if (!error.retryable || !isUnknown(error, isPartial)) return error;
        const { retryAfterMs: _retryAfterMs, upstreamMessage: _upstreamMessage, ...options } = error.options;
        return appError(error.code, {
          ...options,
          message: 'IDEMPOTENCY_UNKNOWN',
          details: { ...options.details, outcome: 'unknown' },
          retryable: false,
        });
      },
    };
  }

  function toRecorded(earlier: string, sealed: string | null): RecordedRequest {
    return {
      outcomeFor(fingerprint) {
        if (fingerprint !== earlier) throw appError('IDEMPOTENCY_MISMATCH');
        // Sealed by a replica with other secrets, it can't be opened here.
        const opened = sealed === null ? null : sealer.open(sealed);
        if (opened === null) throw appError('IDEMPOTENCY_UNKNOWN');
        return opened['outcome'];
      },
    };
  }
}

/** A digest that is equal for equal requests. */
export function fingerprintOf(request: object): string {
  return createHash('sha256').update(JSON.stringify(request)).digest('base64url');
}

/** A digest of the leading bytes, which are the same however much of the file was sent. */
export function leadingDigest(bytes: Buffer): string {
  return createHash('sha256').update(bytes.subarray(0, LEADING_BYTES)).digest('base64url');
}

/** A call that {@link runIdempotently} makes. */
export interface RunOptions {
  readonly locationId: string;
  /** What makes two requests the same; asked for only if there is a key. */
  readonly describe: () => object;
  /** Whether the call completes something at Leadway, so that a failure can leave the outcome unknown. */
  readonly isCommit: boolean;
  readonly signal: AbortSignal;
  /** Where it is noted for the log and the metrics that nothing was done but to repeat. */
  readonly log: LogFields;
}

/**
 * Runs a call that consists of a single step. A repeat resolves to the first outcome; without a key, every call is
 * made.
 */
export async function runIdempotently<T extends object>(
  idempotent: IdempotentRequest | null,
  { locationId, describe, isCommit, signal, log }: RunOptions,
  call: () => Promise<T>,
): Promise<T> {
  if (idempotent === null) return call();
  const fingerprint = fingerprintOf(describe());
  const recorded = await idempotent.begin(locationId, signal);
  if (recorded !== null) {
    const outcome = recorded.outcomeFor(fingerprint) as T;
    log.isRepeat = true;
    return outcome;
  }
  try {
    if (isCommit) await idempotent.commit(fingerprint);
    const outcome = await call();
    await idempotent.succeed(fingerprint, outcome).catch(() => {}); // a repeat gets IDEMPOTENCY_UNKNOWN
    return outcome;
  } catch (error) {
    const failure = toAppError(error);
    const responded = idempotent.toClientError(failure);
    await idempotent.fail(failure);
    throw responded;
  }
}
