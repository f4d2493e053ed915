import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError, appError } from '../errors/app-error.ts';
import { BodyOverflowError } from '../http/read-body.ts';
import type { Logger } from '../logger.ts';
import {
  isBadToken,
  type LeadwayRejection,
  type LeadwayUse,
  toClientError,
  toConnectionFault,
} from './leadway-errors.ts';
import { toLeadwayHeaders } from './leadway-headers.ts';
import { type LeadwayResponse, readResponse } from './leadway-response.ts';
import { watchProgress } from './progress-watch.ts';
import type { Attempt, UpstreamQuota } from './quota.ts';
import { createTokenNotices, type TokenNotices } from './token-health.ts';
import type { TokenSource } from './token-source.ts';
import {
  isConnected,
  type RequestTarget,
  toTarget,
  type UpstreamAgent,
  watchForStaleConnection,
} from './upstream-agent.ts';

/** What a {@link LeadwayClient} is made of. */
export interface LeadwayClientOptions {
  readonly baseUrl: URL;
  readonly apiVersion: string;
  readonly timeoutMs: number;
  readonly tokens: TokenSource;
  readonly quota: UpstreamQuota;
  readonly agent: UpstreamAgent;
  readonly logger: Logger;
}

/** A response, and the token that was sent for it. */
interface Attempted {
  readonly response: LeadwayResponse;
  readonly token: string;
}

/** Statuses after which one more try makes sense for a call that may be made twice. */
const TRANSIENT = new Set([429, 502, 503, 504]);
const RETRY_DELAY_MS = 250;
const MAX_RETRY_DELAY_MS = 2_000;

const LENGTH_ADVICE =
  'Leadway wants to know the length of an upload in advance. Have clients send the field fileSize before the file, or raise FORWARD_HOLD_BYTES';

/** Speaks JSON to Leadway with the BFF's token. */
export class LeadwayClient {
  readonly options: LeadwayClientOptions;
  readonly #notices: TokenNotices;
  readonly #targets = new Map<string, RequestTarget>();
  #hasExplainedLength = false;

  constructor(options: LeadwayClientOptions) {
    this.options = options;
    this.#notices = createTokenNotices(options.logger);
  }

  /** Where requests to `path` go; one of the few paths that this program calls. */
  targetOf(path: string): RequestTarget {
    const known = this.#targets.get(path);
    if (known !== undefined) return known;
    const target = toTarget(new URL(path, this.options.baseUrl));
    this.#targets.set(path, target);
    return target;
  }

  /**
   * POSTs `body` to `path` for `locationId`. A transient failure and a stale connection are tried once
   * more, a rejected token once with a fresh one.
   *
   * @throws AppError where no usable response came: `UPSTREAM_ERROR`, `UPSTREAM_ABORTED`, `UPSTREAM_TIMEOUT`.
   */
  async postJson(
    path: string,
    locationId: string,
    body: Readonly<Record<string, unknown>>,
    signal: AbortSignal,
  ): Promise<LeadwayResponse> {
    const { response, token } = await this.#attemptTwice(path, locationId, body, signal);
    if (response.ok || !isBadToken(response.rejection)) return response;
    if (!(await this.options.tokens.refresh(locationId, token))) return response;
    return (await this.#attempt(path, locationId, body, signal)).response;
  }

  /**
   * The error for a client whose call Leadway rejected; a rejection of the BFF's own token is explained to the
   * operator in the log.
   */
  toError(rejection: LeadwayRejection, locationId: string, use: LeadwayUse = 'uploads'): AppError {
    this.#notices.noteRejected(rejection, locationId, use);
    if (rejection.status === 411 && use === 'uploads' && !this.#hasExplainedLength) {
      this.#hasExplainedLength = true;
      this.options.logger.warn({ locationId, upstreamStatus: 411 }, LENGTH_ADVICE);
    }
    return toClientError(rejection, this.options.tokens.all(locationId), use);
  }

  /** What Leadway last rejected about a token, for the readiness probe; null when it takes all of them. */
  authProblem(): string | null {
    return this.#notices.text();
  }

  /** Leadway took the location's token for `use`. */
  noteAccepted(locationId: string, use: LeadwayUse = 'uploads'): void {
    this.#notices.noteAccepted(locationId, use);
  }

  async #attemptTwice(
    path: string,
    locationId: string,
    body: Readonly<Record<string, unknown>>,
    signal: AbortSignal,
  ): Promise<Attempted> {
    const first = await this.#attempt(path, locationId, body, signal).catch((error: unknown) => {
      if (error instanceof StaleConnection) return null;
      throw error;
    });
    if (first === null) return this.#attempt(path, locationId, body, signal, 'retry');
    const { response } = first;
    if (response.ok || !TRANSIENT.has(response.status)) return first;
    const delayMs = response.rejection.retryAfterMs ?? RETRY_DELAY_MS;
    if (delayMs > MAX_RETRY_DELAY_MS) return first;
    await sleep(delayMs, undefined, { signal });
    try {
      return await this.#attempt(path, locationId, body, signal, 'retry');
    } catch (error) {
      // There is a response; that it could not be asked for again is not the client's concern.
      if (error instanceof AppError && error.code === 'UPSTREAM_BUDGET') return first;
      throw error;
    }
  }

  async #attempt(
    path: string,
    locationId: string,
    body: Readonly<Record<string, unknown>>,
    signal: AbortSignal,
    attempt: Attempt = 'first',
  ): Promise<Attempted> {
    const { agent, apiVersion, baseUrl, timeoutMs, tokens, quota } = this.options;
    signal.throwIfAborted();
    if (attempt === 'retry' || !quota.takeNow(locationId)) await quota.take(locationId, signal, attempt);
    const token = tokens.current(locationId);
    const payload = JSON.stringify(body);
    const headers = [
      ...toLeadwayHeaders(token, apiVersion),
      'Content-Type',
      'application/json',
      'Content-Length',
      String(Buffer.byteLength(payload)),
      'Host',
      baseUrl.host,
    ];
    const connection = attempt === 'retry' ? 'fresh' : 'pooled';
    const request = agent.request(this.targetOf(path), { method: 'POST', headers }, connection);
    const isStale = watchForStaleConnection(request);
    const onAbort = (): void => void request.destroy();
    signal.addEventListener('abort', onAbort);
    let stalled = false;
    const watch = watchProgress(request, timeoutMs, () => {
      stalled = true;
      request.destroy();
    });
    try {
      const response = await new Promise<IncomingMessage>((resolve, reject) => {
        request.once('response', resolve);
        request.once('error', reject);
        request.end(payload);
        watch.setWaiting(true);
      });
      quota.learn(locationId, response.statusCode ?? 0, response.headers, attempt);
      const result = await readResponse(response);
      if (result.ok) this.noteAccepted(locationId);
      return { response: result, token };
    } catch (error) {
      if (stalled && isConnected(request)) throw appError('UPSTREAM_TIMEOUT', { cause: error });
      if (error instanceof BodyOverflowError) throw appError('UPSTREAM_ERROR', { cause: error });
      if (error instanceof AppError) throw error;
      const fault = toConnectionFault(error, isConnected(request));
      const mayBeStale = attempt === 'first' && isStale() && !signal.aborted;
      if (mayBeStale && fault.code === 'UPSTREAM_ABORTED') {
        throw new StaleConnection('closed while idle', { cause: error });
      }
      throw fault;
    } finally {
      signal.removeEventListener('abort', onAbort);
      watch.stop();
    }
  }
}

/** A request went out on a pooled connection that the server had just closed; it was never looked at. */
class StaleConnection extends Error {
  override readonly name = 'StaleConnection';
}
