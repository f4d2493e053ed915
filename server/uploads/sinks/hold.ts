import { BufferList } from '../../http/buffers.ts';
import type { LeadwayClient } from '../../leadway/client.ts';
import { required } from '../fields.ts';
import type { IncomingFile } from '../incoming-file.ts';
import { createMultipartEncoder } from '../multipart-encoder.ts';
import type { UploadState } from '../upload-state.ts';
import { toFieldParts, toFilePart, toForwardResponse } from './forward.ts';
import type { Sink, SinkLink, StoredResponse } from './sink.ts';

/** Holds files in memory until another sink takes them over, or until the form is whole and small enough to forward in one piece. */
export class HoldSink implements Sink {
  readonly kind = 'hold';
  readonly isSending = false;
  readonly #leadway: LeadwayClient;
  readonly #state: UploadState;
  readonly #link: SinkLink;
  readonly #held: { readonly file: IncomingFile; readonly chunks: BufferList }[] = [];
  readonly #maxBytes: number;
  #bytes = 0;

  /** @param maxBytes How many bytes make it full. */
  constructor(leadway: LeadwayClient, state: UploadState, link: SinkLink, maxBytes: number) {
    this.#leadway = leadway;
    this.#state = state;
    this.#link = link;
    this.#maxBytes = maxBytes;
  }

  get isFull(): boolean {
    return this.#bytes > this.#maxBytes;
  }

  begin(file: IncomingFile): undefined {
    this.#held.push({ file, chunks: new BufferList() });
  }

  write(_file: IncomingFile, chunk: Buffer): undefined {
    this.#held.at(-1)?.chunks.push(chunk);
    this.#bytes += chunk.length;
  }

  end(): undefined {}

  /** Passes everything on to `next`, which replaces this sink. */
  async handOver(next: Sink): Promise<void> {
    for (const { file, chunks } of this.#held) {
      await next.begin(file, chunks.drain());
      if (file.isWhole) await next.end(file);
    }
  }

  async finish(): Promise<StoredResponse> {
    const { fields } = this.#state;
    const locationId = required(this.#state.location(), 'locationId');
    const encoder = createMultipartEncoder();
    const body: Buffer[] = [];
    let text = toFieldParts(fields, locationId)
      .map(([name, value]) => encoder.field(name, value))
      .join('');
    for (const { file, chunks } of this.#held) {
      text += toFilePart(encoder, file);
      body.push(Buffer.from(text), ...chunks.drain());
      text = encoder.fileTail;
    }
    body.push(Buffer.from(text + encoder.closing));
    const options = { ...this.#link, locationId, contentType: encoder.contentType };
    const response = await this.#leadway.sendForm(body, options);
    return toForwardResponse(this.#leadway, response, locationId, this.#state);
  }

  destroy(): void {
    this.#held.length = 0;
  }
}
