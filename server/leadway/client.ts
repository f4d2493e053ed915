import { setTimeout as sleep } from 'node:timers/promises';
import { AppError, appError } from '../errors/app-error.ts';
import { releaseMemoryOf } from '../http/buffers.ts';
import type { LogFields } from '../http/log-fields.ts';
import type { Logger } from '../logger.ts';
import { type RequestTarget, toTarget, type UpstreamAgent } from './agent.ts';
import {
  isBadToken,
  type LeadwayRejection,
  type LeadwayUse,
  toClientError,
  toConnectionFault,
} from './errors.ts';
import { ExchangeError, type ExchangeRequest } from './exchange.ts';
import type { Attempt, UpstreamQuota } from './quota.ts';
import { type LeadwayResponse, maxResponseBytes, parseResponse, readResponse } from './response.ts';
import { createTokenHealth, type TokenHealth, type TokenSource } from './token-store.ts';
import { UploadRequest } from './upload-request.ts';

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

/** A multipart upload to Leadway. */
export interface FormOptions {
  readonly locationId: string;
  /** With the boundary of the body. */
  readonly contentType: string;
  readonly signal: AbortSignal;
  readonly log: LogFields;
}

interface StreamOptions extends FormOptions {
  /** Called once if the upload fails before its commit. */
  readonly fail: (error: AppError) => void;
  /** Called before that when it is Leadway that rejects the upload. */
  readonly onRejected?: (rejection: LeadwayRejection) => void;
}

/** A request whose body is known in full. */
interface Call {
  readonly path: string;
  readonly locationId: string;
  readonly contentType: string;
  readonly body: Buffer | string;
  readonly signal: AbortSignal;
  readonly log: LogFields;
}

/** A response, and what it took to get it. */
interface Attempted {
  readonly response: LeadwayResponse;
  /** The token that was sent. */
  readonly token: string;
  readonly hasSentAll: boolean;
}

/** The paths of Leadway's upload API. */
export const PATHS = {
  upload: '/conversations/messages/upload',
  initiate: '/conversations/messages/upload/initiate',
  complete: '/conversations/messages/upload/complete',
} as const;

/** Sending a message needs the scope that uploads need. */
const MESSAGES_PATH = '/conversations/messages';

/** Statuses after which a repeatable call is retried once. */
const TRANSIENT = new Set([429, 502, 503, 504]);
const RETRY_DELAY_MS = 250;
const MAX_RETRY_DELAY_MS = 2_000;

const LENGTH_ADVICE =
  'Leadway wants to know the length of an upload in advance. Have clients send the field fileSize before the file, or raise FORWARD_HOLD_BYTES';

/** Speaks to Leadway with the BFF's token: JSON calls, uploads in one piece, and uploads that are streamed. */
export class LeadwayClient {
  readonly options: LeadwayClientOptions;
  readonly #tokenHealth: TokenHealth;
  readonly #uploadTarget: RequestTarget;
  #hasExplainedLength = false;

  constructor(options: LeadwayClientOptions) {
    this.options = options;
    this.#tokenHealth = createTokenHealth(options.logger);
    this.#uploadTarget = toTarget(new URL(PATHS.upload, options.baseUrl));
  }

  /**
   * POSTs `body` to `path` for `locationId`. After a transient failure or on a stale connection the call is made once
   * more, after a rejected token once with a fresh one.
   *
   * @throws AppError where no usable response came: `UPSTREAM_ERROR`, `UPSTREAM_ABORTED`, `UPSTREAM_TIMEOUT`.
   */
  async postJson(
    path: string,
    locationId: string,
    body: Readonly<Record<string, unknown>>,
    signal: AbortSignal,
    log: LogFields = {},
  ): Promise<LeadwayResponse> {
    const contentType = 'application/json';
    const call: Call = { path, locationId, contentType, body: JSON.stringify(body), signal, log };
    const { response, token } = await this.#attemptTwice(call);
    if (response.ok || !isBadToken(response.rejection)) return response;
    if (!(await this.options.tokens.refresh(locationId, token))) return response;
    return (await this.#attempt(call)).response;
  }

  /**
   * Uploads a form whose body is known in full. It is sent again, once each, when a reused connection ended before any
   * byte of a response, and when Leadway rejects the token and another one is at hand.
   *
   * @param pieces The body, in order. Their memory is freed when it is no longer needed.
   * @throws AppError where no usable response came.
   */
  async sendForm(pieces: readonly Buffer[], options: FormOptions): Promise<LeadwayResponse> {
    const body = Buffer.concat(pieces);
    const call: Call = { ...options, path: PATHS.upload, body };
    let mayResend = true;
    const send = async (): Promise<Attempted> => {
      try {
        return await this.#attempt(call);
      } catch (error) {
        if (!mayResend || !isStale(error) || call.signal.aborted) throw error;
        mayResend = false;
        return this.#attempt(call, 'fresh');
      }
    };
    let attempted = await send();
    const { response, token } = attempted;
    if (!response.ok && isBadToken(response.rejection)) {
      const isOther = await this.options.tokens.refresh(call.locationId, token);
      if (isOther && !call.signal.aborted) attempted = await send();
    }
    // The pieces were copied into `body` and nobody else uses them.
    for (const piece of pieces) releaseMemoryOf(piece);
    if (attempted.hasSentAll && mayResend) releaseMemoryOf(body);
    return attempted.response;
  }

  /**
   * Opens an upload whose body is written as it arrives; its call has been counted by {@link takeQuota}.
   *
   * @param contentLength Exact length of the body in bytes; null sends it chunked.
   */
  openUpload(
    contentLength: number | null,
    { locationId, contentType, log, fail, onRejected }: StreamOptions,
  ): UploadRequest<LeadwayResponse> {
    const { agent, timeoutMs, tokens, quota, baseUrl } = this.options;
    const token = tokens.current(locationId);
    const headers = [
      ...this.headers(token),
      'Content-Type',
      contentType,
      ...(contentLength === null
        ? ['Transfer-Encoding', 'chunked']
        : ['Content-Length', String(contentLength)]),
      'Host', // node:http adds none to a list of headers
      baseUrl.host,
    ];
    return new UploadRequest({
      request: agent.request(this.#uploadTarget, { method: 'POST', headers }),
      timeoutMs,
      log,
      read: async (response) => {
        quota.update(locationId, response.statusCode ?? 0, response.headers);
        const result = await readResponse(response);
        if (result.ok) this.noteAccepted(locationId);
        else if (isBadToken(result.rejection)) await tokens.refresh(locationId, token);
        return result;
      },
      // Leadway does not have the whole request yet, so a success can't be real.
      toEarlyError: (result) => {
        if (result.ok) return appError('UPSTREAM_ERROR');
        onRejected?.(result.rejection);
        return this.toError(result.rejection, locationId);
      },
      fail,
    });
  }

  /**
   * Finds out whether Leadway takes the token, without an upload: a message that names no recipient is rejected for its
   * fields if the token is good. The result is logged and remembered like that of an upload.
   *
   * @throws AppError where no usable response came.
   */
  async checkToken(locationId: string, signal: AbortSignal): Promise<void> {
    const response = await this.postJson(MESSAGES_PATH, locationId, {}, signal);
    if (response.ok) return;
    if (response.status === 400 || response.status === 422) this.noteAccepted(locationId);
    // The call names no location, so a 403 says nothing about the token's access to ours.
    if (response.status === 401) this.#tokenHealth.noteRejected(response.rejection, locationId, 'uploads');
  }

  /** Counts a call against the location's limits at Leadway, after a short wait if need be. Throws what quotas throw. */
  async takeQuota(locationId: string, signal: AbortSignal): Promise<void> {
    const { quota } = this.options;
    if (!quota.takeNow(locationId)) await quota.take(locationId, signal, 'first');
  }

  /**
   * The one place where headers for Leadway are made; nothing of the client's request is among them.
   *
   * `Accept` is not optional: without it some endpoints were reported to respond 404 with no body. A request without
   * `Accept-Encoding` lets the server choose any compression (RFC 9110, section 12.5.3).
   *
   * @returns Names and values in turn, which both HTTP clients write as they are.
   */
  headers(token: string): string[] {
    return [
      'Authorization',
      `Bearer ${token}`,
      'Version',
      this.options.apiVersion,
      'Accept',
      'application/json',
      'Accept-Encoding',
      'identity',
      'User-Agent',
      'leadway-bff',
    ];
  }

  /** The error for the client whose call Leadway rejected. A rejection of the BFF's own token is explained in the log. */
  toError(rejection: LeadwayRejection, locationId: string, use: LeadwayUse = 'uploads'): AppError {
    this.#tokenHealth.noteRejected(rejection, locationId, use);
    if (rejection.status === 411 && use === 'uploads' && !this.#hasExplainedLength) {
      this.#hasExplainedLength = true;
      this.options.logger.warn({ locationId, upstreamStatus: 411 }, LENGTH_ADVICE);
    }
    return toClientError(rejection, this.options.tokens.all(locationId), use);
  }

  /** What Leadway rejected about its tokens, for the readiness probe; null when it accepts all of them. */
  authProblem(): string | null {
    return this.#tokenHealth.text();
  }

  /** The same with locations, for the operator. */
  authDetails(): string {
    return [...new Set(this.#tokenHealth.details())].join(' ');
  }

  /** Leadway accepted the location's token for `use`. */
  noteAccepted(locationId: string, use: LeadwayUse = 'uploads'): void {
    this.#tokenHealth.noteAccepted(locationId, use);
  }

  async #attemptTwice(call: Call): Promise<Attempted> {
    const { signal } = call;
    const first = await this.#attempt(call).catch((error: unknown) => {
      if (isStale(error) && !signal.aborted) return null;
      throw error;
    });
    if (first === null) return this.#attempt(call, 'fresh', 'retry');
    const { response } = first;
    if (response.ok || !TRANSIENT.has(response.status)) return first;
    const delayMs = response.rejection.retryAfterMs ?? RETRY_DELAY_MS;
    if (delayMs > MAX_RETRY_DELAY_MS) return first;
    await sleep(delayMs, undefined, { signal });
    try {
      return await this.#attempt(call, 'fresh', 'retry');
    } catch (error) {
      // There is a response to report; the quota is not the client's concern.
      if (error instanceof AppError && error.code === 'UPSTREAM_BUDGET') return first;
      throw error;
    }
  }

  async #attempt(
    call: Call,
    connection: 'pooled' | 'fresh' = 'pooled',
    attempt: Attempt = 'first',
  ): Promise<Attempted> {
    const { agent, baseUrl, timeoutMs, tokens, quota } = this.options;
    const { path, locationId, contentType, body, signal, log } = call;
    signal.throwIfAborted();
    if (attempt === 'retry' || !quota.takeNow(locationId)) await quota.take(locationId, signal, attempt);
    signal.throwIfAborted();
    const token = tokens.current(locationId);
    const headers = [...this.headers(token), 'Content-Type', contentType];
    const sentAt = performance.now();
    const request: ExchangeRequest = {
      method: 'POST',
      url: baseUrl,
      path,
      headers,
      body,
      timeoutMs,
      signal,
      connection,
      maxBytes: maxResponseBytes,
    };
    const {
      status,
      headers: reported,
      body: received,
      hasSentAll,
    } = await agent.exchange(request).catch(toFault);
    log.upstreamStatus = status;
    log.upstreamMs = Math.round(performance.now() - sentAt);
    quota.update(locationId, status, reported, attempt);
    const response = parseResponse(status, reported, received);
    if (response.ok) this.noteAccepted(locationId);
    return { response, token, hasSentAll };
  }
}

/** Failures of requests that Leadway never looked at. */
const stale = new WeakSet<object>();

function isStale(error: unknown): boolean {
  return typeof error === 'object' && error !== null && stale.has(error);
}

function toFault(error: unknown): never {
  if (!(error instanceof ExchangeError)) throw error;
  const fault = toConnectionFault(error.cause, error.wasConnected);
  if (error.isStale && fault.code === 'UPSTREAM_ABORTED') stale.add(fault);
  throw fault;
}
