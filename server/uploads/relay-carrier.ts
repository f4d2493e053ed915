import { type AppError, appError } from '../errors/app-error.ts';
import type { UpstreamTiming } from '../leadway/forward-request.ts';
import type { UpstreamAgent } from '../leadway/upstream-agent.ts';
import type { DirectFile, DirectUploads } from './direct-uploads.ts';
import type { IncomingFile } from './incoming-file.ts';
import { overLimit } from './mode.ts';
import { RelayRequest } from './relay-request.ts';
import type { Ticket } from './tickets.ts';

/** Where relayed files go, and who is told of what happens there. */
export interface RelayTarget {
  readonly direct: DirectUploads;
  readonly agent: UpstreamAgent;
  readonly timeoutMs: number;
  /** Aborts the calls to Leadway when the upload has settled. */
  readonly signal: AbortSignal;
  onFailure(error: AppError): void;
  onTiming(timing: UpstreamTiming): void;
}

/**
 * Makes the three steps of a direct upload on the client's behalf. All files are put in storage first and
 * completed together at the end: what was not completed was never uploaded, as far as Leadway is concerned.
 */
export class RelayCarrier {
  readonly #target: RelayTarget;
  readonly #stored: Ticket[] = [];
  #request: RelayRequest | null = null;
  #limit = 0;
  #channel = '';

  constructor(target: RelayTarget) {
    this.#target = target;
  }

  /**
   * Begins a file, with the bytes that were held of it.
   *
   * @param contentLength Its size in bytes, when that is certain; null otherwise.
   * @throws AppError `DIRECT_UNAVAILABLE` when Leadway gives out no signed URLs.
   */
  async beginFile(claim: DirectFile, file: IncomingFile, contentLength: number | null): Promise<void> {
    const { direct, agent, timeoutMs, signal, onFailure, onTiming } = this.#target;
    const ticket = await direct.initiate(claim, signal);
    if (ticket === null) throw directUnavailable();
    this.#limit = ticket.maxFileSize;
    this.#channel = ticket.channel;
    this.#assertFits(contentLength ?? file.size);
    this.#request = new RelayRequest({ agent, timeoutMs, ticket, contentLength }, onFailure, onTiming);
    await this.#request.write(Buffer.concat(file.release()));
  }

  /**
   * Sends more of the file that was begun last, which has `fileBytes` with these. A promise means: wait for
   * it before sending more.
   */
  write(chunk: Buffer, fileBytes: number): Promise<void> | undefined {
    this.#assertFits(fileBytes);
    return this.#request?.write(chunk);
  }

  /** Ends the file that was begun last; it is in storage then, but not yet completed. */
  async endFile(): Promise<void> {
    const request = this.#request;
    if (request === null) return;
    await request.commit();
    this.#request = null;
    this.#stored.push(request.ticket);
  }

  /** The commit: completes every file. */
  async finish(): Promise<Record<string, string>> {
    const { direct, signal } = this.#target;
    const uploadedFiles: Record<string, string> = {};
    for (const ticket of this.#stored) {
      Object.assign(uploadedFiles, (await direct.complete(ticket, signal)).uploadedFiles);
    }
    return uploadedFiles;
  }

  /** Cuts the connection to storage, which then has no complete object. */
  destroy(): void {
    this.#request?.destroy();
  }

  #assertFits(size: number): void {
    if (size > this.#limit) throw overLimit(this.#limit, this.#channel);
  }
}

/** The error where direct or relay was asked for by name and Leadway does not offer it. */
export function directUnavailable(): AppError {
  return appError('DIRECT_UNAVAILABLE', { details: { use: 'forward' } });
}
