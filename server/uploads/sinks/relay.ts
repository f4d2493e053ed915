import { fileTooLarge, storageRefused } from '../../errors/factories.ts';
import { toTarget, type UpstreamAgent } from '../../leadway/agent.ts';
import { UploadRequest } from '../../leadway/upload-request.ts';
import type { DirectUploads } from '../direct.ts';
import type { IncomingFile } from '../incoming-file.ts';
import { maxBytesOf, type Ticket } from '../tickets.ts';
import type { Sink, SinkLink, StoredResponse } from './sink.ts';

/** What a {@link RelaySink} needs. */
export interface RelayOptions extends SinkLink {
  readonly agent: UpstreamAgent;
  readonly timeoutMs: number;
  readonly direct: DirectUploads;
  /** The ticket of a file: a new one from Leadway, or the one that the client presented. */
  readonly ticketOf: (file: IncomingFile) => Promise<Ticket>;
  /** Size of a file in bytes, where that is certain before its end; null otherwise. */
  readonly sizeOf: (file: IncomingFile) => number | null;
}

/**
 * PUTs files to signed URLs while they arrive. All of them are put in storage first and completed together: a file
 * that is not completed stays invisible to Leadway.
 *
 * The last chunk is held back until the file has passed its checks, so storage can't have a complete object before the
 * checks, with or without Content-Length.
 */
export class RelaySink implements Sink {
  readonly kind = 'relay';
  readonly isSending = true;
  readonly isFull = false;
  readonly #options: RelayOptions;
  readonly #stored: Ticket[] = [];
  #ticket: Ticket | null = null;
  #request: UploadRequest<number> | null = null;
  #heldBack: Buffer | null = null;

  constructor(options: RelayOptions) {
    this.#options = options;
  }

  async begin(file: IncomingFile, held: readonly Buffer[]): Promise<void> {
    const { agent, timeoutMs, signal, log, fail, ticketOf, sizeOf } = this.#options;
    const ticket = await ticketOf(file);
    const size = sizeOf(file);
    this.#ticket = ticket;
    assertFits(size ?? file.size, ticket);
    signal.throwIfAborted();
    this.#request = new UploadRequest({
      request: agent.request(toTarget(new URL(ticket.uploadUrl)), {
        method: 'PUT',
        // None of the client's headers, and never Leadway's token.
        headers: {
          'Content-Type': ticket.contentType,
          ...(size === null ? { 'Transfer-Encoding': 'chunked' } : { 'Content-Length': size }),
        },
      }),
      timeoutMs,
      log,
      // The body is XML for developers: only the status counts.
      read: async (response) => {
        response.resume();
        return response.statusCode ?? 0;
      },
      toEarlyError: storageRefused,
      fail,
    });
    let wait: Promise<void> | undefined;
    for (const chunk of held) wait = this.#send(chunk);
    await wait;
  }

  write(file: IncomingFile, chunk: Buffer): Promise<void> | undefined {
    if (this.#ticket !== null) assertFits(file.size, this.#ticket);
    return this.#send(chunk);
  }

  /** Sends the rest. The file is in storage then, but not completed. */
  async end(): Promise<void> {
    if (this.#request === null || this.#ticket === null) return;
    const status = await this.#request.commit(this.#heldBack === null ? [] : [this.#heldBack]);
    this.#heldBack = null;
    this.#request = null;
    if (status < 200 || status >= 300) throw storageRefused(status);
    this.#stored.push(this.#ticket);
  }

  async finish(): Promise<StoredResponse> {
    const { direct, signal, log } = this.#options;
    const uploadedFiles: Record<string, string> = {};
    for (const ticket of this.#stored) {
      Object.assign(uploadedFiles, (await direct.complete(ticket, signal, log)).uploadedFiles);
    }
    return { mode: 'relay', uploadedFiles };
  }

  destroy(): void {
    this.#request?.destroy();
  }

  #send(chunk: Buffer): Promise<void> | undefined {
    const previous = this.#heldBack;
    this.#heldBack = chunk;
    return previous === null ? undefined : this.#request?.write(previous);
  }
}

function assertFits(size: number, ticket: Ticket): void {
  const limit = maxBytesOf(ticket);
  if (size > limit) throw fileTooLarge(limit, ticket.channel);
}
