import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError, appError } from '../errors/app-error.ts';
import { BodyOverflowError } from '../http/read-body.ts';
import type { Logger } from '../logger.ts';
import {
  isBadToken,
  type LeadwayRefusal,
  type LeadwayUse,
  toCallerError,
  toConnectionFault,
} from './leadway-errors.ts';
import { toLeadwayHeaders } from './leadway-headers.ts';
import { type LeadwayAnswer, readAnswer } from './leadway-response.ts';
import { watchProgress } from './progress-watch.ts';
import { createTokenNotices, type TokenNotices } from './token-notices.ts';
import type { TokenSource } from './token-source.ts';
import {
  isConnected,
  type RequestTarget,
  toTarget,
  type UpstreamAgent,
  watchForStaleConnection,
} from './upstream-agent.ts';
import type { Attempt, UpstreamBudget } from './upstream-budget.ts';

/** What a {@link LeadwayClient} is made of. */
export interface LeadwayClientOptions {
  readonly baseUrl: URL;
  readonly apiVersion: string;
  readonly timeoutMs: number;
  readonly tokens: TokenSource;
  readonly budget: UpstreamBudget;
  readonly agent: UpstreamAgent;
  readonly logger: Logger;
}

/** An answer, and the token that was sent for it. */
interface Attempted {
  readonly answer: LeadwayAnswer;
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
   * more, a refused token once with a fresh one.
   *
   * @throws AppError where no usable answer came: `UPSTREAM_ERROR`, `UPSTREAM_ABORTED`, `UPSTREAM_TIMEOUT`.
   */
  async postJson(
    path: string,
    locationId: string,
    body: Readonly<Record<string, unknown>>,
    signal: AbortSignal,
  ): Promise<LeadwayAnswer> {
    const { answer, token } = await this.#attemptTwice(path, locationId, body, signal);
    if (answer.ok || !isBadToken(answer.refusal)) return answer;
    if (!(await this.options.tokens.refresh(locationId, token))) return answer;
    return (await this.#attempt(path, locationId, body, signal)).answer;
  }

  /**
   * The error for a caller whose call Leadway refused; a refusal of the BFF's own token is explained to the
   * operator in the log.
   */
  toError(refusal: LeadwayRefusal, locationId: string, use: LeadwayUse = 'uploads'): AppError {
    this.#notices.noteRefused(refusal, locationId, use);
    if (refusal.status === 411 && use === 'uploads' && !this.#hasExplainedLength) {
      this.#hasExplainedLength = true;
      this.options.logger.warn({ locationId, upstreamStatus: 411 }, LENGTH_ADVICE);
    }
    return toCallerError(refusal, this.options.tokens.all(locationId), use);
  }

  /** What Leadway last refused about a token, for the readiness probe; null when it takes all of them. */
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
    const { answer } = first;
    if (answer.ok || !TRANSIENT.has(answer.status)) return first;
    const delayMs = answer.refusal.retryAfterMs ?? RETRY_DELAY_MS;
    if (delayMs > MAX_RETRY_DELAY_MS) return first;
    await sleep(delayMs, undefined, { signal });
    try {
      return await this.#attempt(path, locationId, body, signal, 'retry');
    } catch (error) {
      // There is an answer; that it could not be asked for again is not the caller's concern.
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
    const { agent, apiVersion, baseUrl, timeoutMs, tokens, budget } = this.options;
    signal.throwIfAborted();
    if (attempt === 'retry' || !budget.takeNow(locationId)) await budget.take(locationId, signal, attempt);
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
      budget.learn(locationId, response.statusCode ?? 0, response.headers, attempt);
      const answer = await readAnswer(response);
      if (answer.ok) this.noteAccepted(locationId);
      return { answer, token };
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
