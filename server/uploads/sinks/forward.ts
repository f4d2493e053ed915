import { appError } from '../../errors/app-error.ts';
import type { LeadwayClient } from '../../leadway/client.ts';
import { type LeadwayResponse, uploadResponse } from '../../leadway/response.ts';
import type { UploadRequest } from '../../leadway/upload-request.ts';
import { FILE_FIELD, type UploadFields } from '../fields.ts';
import type { IncomingFile } from '../incoming-file.ts';
import { createMultipartEncoder, type MultipartEncoder } from '../multipart-encoder.ts';
import type { UploadState } from '../upload-state.ts';
import type { Sink, SinkLink, StoredResponse } from './sink.ts';

/** Writes files to Leadway while they arrive, in our own form. Its closing delimiter is the commit. */
export class ForwardSink implements Sink {
  readonly kind = 'forward';
  readonly isSending = true;
  readonly isFull = false;
  readonly #leadway: LeadwayClient;
  readonly #state: UploadState;
  readonly #locationId: string;
  readonly #encoder = createMultipartEncoder();
  readonly #request: UploadRequest<LeadwayResponse>;
  /** How many values of each field have been sent. */
  readonly #sent = new Map<string, number>();

  /** Opens the request and sends the fields that are known. */
  constructor(leadway: LeadwayClient, state: UploadState, locationId: string, link: SinkLink) {
    this.#leadway = leadway;
    this.#state = state;
    this.#locationId = locationId;
    const opening = Buffer.from(this.#unsentFields());
    const { fileTail, closing, contentType } = this.#encoder;
    const only = state.fileWithKnownEnd();
    const contentLength =
      only && opening.length + this.#partOf(only.file).length + only.bytes + fileTail.length + closing.length;
    this.#request = leadway.openUpload(contentLength, {
      ...link,
      locationId,
      contentType,
      onRejected: (rejection) => state.noteRejected(rejection, false),
    });
    this.#request.write(opening);
  }

  begin(file: IncomingFile, held: readonly Buffer[]): Promise<void> | undefined {
    let wait = this.#request.write(this.#partOf(file));
    for (const chunk of held) wait = this.#request.write(chunk);
    return wait;
  }

  write(_file: IncomingFile, chunk: Buffer): Promise<void> | undefined {
    return this.#request.write(chunk);
  }

  end(): Promise<void> | undefined {
    return this.#request.write(Buffer.from(this.#encoder.fileTail));
  }

  /** Sends the fields that followed the files, and the closing delimiter. */
  async finish(): Promise<StoredResponse> {
    const response = await this.#request.commit([Buffer.from(this.#unsentFields() + this.#encoder.closing)]);
    return toForwardResponse(this.#leadway, response, this.#locationId, this.#state);
  }

  destroy(): void {
    this.#request.destroy();
  }

  /** The fields that have not been sent yet, as parts of the form. */
  #unsentFields(): string {
    const seen = new Map<string, number>();
    let parts = '';
    for (const [name, value] of toFieldParts(this.#state.fields, this.#locationId)) {
      const position = (seen.get(name) ?? 0) + 1;
      seen.set(name, position);
      if (position <= (this.#sent.get(name) ?? 0)) continue;
      this.#sent.set(name, position);
      parts += this.#encoder.field(name, value);
    }
    return parts;
  }

  #partOf(file: IncomingFile): Buffer {
    return Buffer.from(toFilePart(this.#encoder, file));
  }
}

/** Headers of a file part for Leadway. */
export function toFilePart(encoder: MultipartEncoder, { name, contentType }: IncomingFile): string {
  return encoder.fileHead(FILE_FIELD, name, contentType);
}

/** The fields of Leadway's upload form, in its order, without those that were not given. */
export function toFieldParts(fields: UploadFields, locationId: string): [name: string, value: string][] {
  const { conversationId, contactId, attachmentUrls, chatServiceSid, isGroupSms, isSecureAttachment } =
    fields;
  const pairs: [string, string | null][] = [
    ['conversationId', conversationId],
    ['contactId', contactId],
    ['locationId', locationId],
    ...attachmentUrls.map((url): [string, string] => ['attachmentUrls', url]),
    ['chatServiceSid', chatServiceSid],
    ['isGroupSms', isGroupSms === null ? null : String(isGroupSms)],
    ['isSecureAttachment', isSecureAttachment === null ? null : String(isSecureAttachment)],
  ];
  return pairs.filter((pair): pair is [string, string] => pair[1] !== null);
}

/** How long the URLs of secure attachments are public. */
const SECURE_URL_TTL_MS = 60 * 60_000;

/** @throws AppError what Leadway rejected, `UPSTREAM_ERROR` for an invalid response. */
export function toForwardResponse(
  leadway: LeadwayClient,
  response: LeadwayResponse,
  locationId: string,
  state: UploadState,
): StoredResponse {
  if (!response.ok) {
    state.noteRejected(response.rejection, true);
    throw leadway.toError(response.rejection, locationId);
  }
  state.noteAccepted();
  const parsed = uploadResponse.safeParse(response.json);
  if (!parsed.success) throw appError('UPSTREAM_ERROR', { cause: parsed.error });
  const expiry = state.fields.isSecureAttachment ? { expiresAt: Date.now() + SECURE_URL_TTL_MS } : {};
  return { mode: 'forward', ...parsed.data, ...expiry };
}
