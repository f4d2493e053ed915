import type { IncomingMessage } from 'node:http';
import { AppError, appError, toAppError } from '../errors/app-error.ts';
import { BodyOverflowError } from '../http/read-body.ts';
import type { LeadwayClient } from './leadway-client.ts';
import { isBadToken, toConnectionFault } from './leadway-errors.ts';
import { toLeadwayHeaders } from './leadway-headers.ts';
import { type LeadwayResponse, readResponse } from './leadway-response.ts';
import { UploadStream } from './upload-stream.ts';
import type { Connection } from './upstream-agent.ts';

/** The upload endpoint of Leadway. */
const UPLOAD_PATH = '/conversations/messages/upload';

/** A multipart request to Leadway. */
export interface ForwardOptions {
  readonly leadway: LeadwayClient;
  readonly locationId: string;
  /** With the boundary of the body. */
  readonly contentType: string;
  /** Exact length of the body in bytes; null sends it chunked. */
  readonly contentLength: number | null;
  /** Default `pooled`. */
  readonly connection?: Connection;
}

/** Facts of Leadway's response, for the log. */
export interface UpstreamTiming {
  readonly status: number;
  readonly ms: number;
}

/** An upload that is sent to Leadway while it arrives. */
export class ForwardRequest {
  readonly #options: ForwardOptions;
  readonly #stream: UploadStream;
  readonly #token: string;
  readonly #onTiming: (timing: UpstreamTiming) => void;
  /** What came of a response that did not wait for the commit. */
  #early: Promise<AppError> | null = null;

  /**
   * @param onFailure Told once when the upload can't be completed any more: Leadway responded before it had
   *   everything, or the connection failed.
   */
  constructor(
    options: ForwardOptions,
    onFailure: (error: AppError) => void,
    onTiming: (timing: UpstreamTiming) => void,
  ) {
    const { leadway, locationId, contentType, contentLength, connection } = options;
    const { agent, apiVersion, baseUrl, tokens, timeoutMs } = leadway.options;
    this.#options = options;
    this.#onTiming = onTiming;
    this.#token = tokens.current(locationId);
    const headers = [
      ...toLeadwayHeaders(this.#token, apiVersion),
      'Content-Type',
      contentType,
      ...(contentLength === null
        ? ['Transfer-Encoding', 'chunked']
        : ['Content-Length', String(contentLength)]),
      'Host',
      baseUrl.host,
    ];
    const request = agent.request(leadway.targetOf(UPLOAD_PATH), { method: 'POST', headers }, connection);
    this.#stream = new UploadStream(request, timeoutMs, {
      onFailure,
      onEarlyResponse: (response) => {
        this.#early = this.#read(response)
          .then((response) =>
            response.ok ? appError('UPSTREAM_ERROR') : leadway.toError(response.rejection, locationId),
          )
          .catch(toAppError);
        this.#early.then((error) => {
          this.#stream.destroy();
          onFailure(error);
        });
      },
    });
  }

  /** Sends more of the body. A promise means: wait for it before sending more. */
  write(chunk: Buffer): Promise<void> | undefined {
    return this.#stream.write(chunk);
  }

  /**
   * Sends the closing bytes; from then on Leadway has the whole request.
   *
   * @throws AppError when no usable response comes.
   */
  async commit(closing: readonly Buffer[]): Promise<LeadwayResponse> {
    if (this.#early !== null) throw await this.#early;
    return this.#read(await this.#stream.commit(closing));
  }

  /** Whether every byte of the body has been handed to the kernel. */
  get hasSentAll(): boolean {
    return this.#stream.hasSentAll;
  }

  /** Whether a server that was closing a reused connection never looked at this request. */
  get wasStale(): boolean {
    return this.#stream.wasStale;
  }

  /** Whether the location's token has changed since this request was made. */
  hasFresherToken(): boolean {
    const { leadway, locationId } = this.#options;
    return leadway.options.tokens.current(locationId) !== this.#token;
  }

  /** Cuts the connection to Leadway. */
  destroy(): void {
    this.#stream.destroy();
  }

  async #read(response: IncomingMessage): Promise<LeadwayResponse> {
    const { leadway, locationId } = this.#options;
    leadway.options.quota.learn(locationId, response.statusCode ?? 0, response.headers);
    this.#onTiming({ status: response.statusCode ?? 0, ms: this.#stream.ageMs });
    try {
      const result = await readResponse(response);
      if (result.ok) leadway.noteAccepted(locationId);
      if (!result.ok && isBadToken(result.rejection)) {
        await leadway.options.tokens.refresh(locationId, this.#token);
      }
      return result;
    } catch (error) {
      throw this.#stream.hasStalled ? appError('UPSTREAM_TIMEOUT', { cause: error }) : toReadFault(error);
    } finally {
      this.#stream.finish();
    }
  }
}

function toReadFault(error: unknown): AppError {
  if (error instanceof AppError) return error;
  if (error instanceof BodyOverflowError) return appError('UPSTREAM_ERROR', { cause: error });
  return toConnectionFault(error, true);
}
