import type { OutgoingHttpHeaders } from 'node:http';
import { type AppError, appError } from '../errors/app-error.ts';
import type { UpstreamTiming } from '../leadway/forward-request.ts';
import { UploadStream } from '../leadway/upload-stream.ts';
import { toTarget, type UpstreamAgent } from '../leadway/upstream-agent.ts';
import type { Ticket } from './tickets.ts';

/** What a {@link RelayRequest} needs. */
export interface RelayOptions {
  readonly agent: UpstreamAgent;
  readonly timeoutMs: number;
  readonly ticket: Ticket;
  /** Exact size of the file in bytes; null sends it chunked. */
  readonly contentLength: number | null;
}

/** Headers for storage: none of the client's, and never Leadway's token. */
function toStorageHeaders(contentType: string, contentLength: number | null): OutgoingHttpHeaders {
  return {
    'Content-Type': contentType,
    ...(contentLength === null ? { 'Transfer-Encoding': 'chunked' } : { 'Content-Length': contentLength }),
  };
}

/** The error for a rejection of storage; its text is XML for developers and stays out. */
export function toStorageError(status: number): AppError {
  return appError('STORAGE_REFUSED', { details: { storageStatus: status } });
}

/**
 * A file that is PUT to a signed URL while it arrives. One chunk is always held back, so that storage has no
 * complete object before the verdict, whether or not the length was announced.
 */
export class RelayRequest {
  readonly ticket: Ticket;
  readonly #stream: UploadStream;
  readonly #onTiming: (timing: UpstreamTiming) => void;
  #heldBack: Buffer | null = null;

  /** @param onFailure Told once when storage responded early or the connection failed. */
  constructor(
    { agent, timeoutMs, ticket, contentLength }: RelayOptions,
    onFailure: (error: AppError) => void,
    onTiming: (timing: UpstreamTiming) => void,
  ) {
    this.ticket = ticket;
    this.#onTiming = onTiming;
    const request = agent.request(toTarget(new URL(ticket.uploadUrl)), {
      method: 'PUT',
      headers: toStorageHeaders(ticket.contentType, contentLength),
    });
    this.#stream = new UploadStream(request, timeoutMs, {
      onFailure,
      onEarlyResponse: (response) => {
        this.#stream.destroy();
        onFailure(toStorageError(response.statusCode ?? 0));
      },
    });
  }

  /** Sends more of the file. A promise means: wait for it before sending more. */
  write(chunk: Buffer): Promise<void> | undefined {
    const previous = this.#heldBack;
    this.#heldBack = chunk;
    return previous === null ? undefined : this.#stream.write(previous);
  }

  /**
   * Sends what was held back.
   *
   * @throws AppError `STORAGE_REFUSED`, or what broke the connection.
   */
  async commit(): Promise<void> {
    const response = await this.#stream.commit(this.#heldBack === null ? [] : [this.#heldBack]);
    const status = response.statusCode ?? 0;
    this.#onTiming({ status, ms: this.#stream.ageMs });
    response.resume();
    this.#stream.finish();
    if (status < 200 || status >= 300) throw toStorageError(status);
  }

  /** Cuts the connection to storage. */
  destroy(): void {
    this.#stream.destroy();
  }
}
