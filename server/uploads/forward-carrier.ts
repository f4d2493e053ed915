import { type AppError, appError } from '../errors/app-error.ts';
import { freeMemoryOf } from '../http/free-chunk.ts';
import { ForwardRequest, type UpstreamTiming } from '../leadway/forward-request.ts';
import type { LeadwayClient } from '../leadway/leadway-client.ts';
import { isBadToken } from '../leadway/leadway-errors.ts';
import type { LeadwayResponse } from '../leadway/leadway-response.ts';
import { uploadResponse } from '../leadway/response-schemas.ts';
import type { Connection } from '../leadway/upstream-agent.ts';
import type { IncomingFile } from './incoming-file.ts';
import { createMultipartEncoder, type MultipartEncoder } from './multipart-encoder.ts';
import type { UploadFields } from './upload-fields.ts';

/** The field that Leadway takes files in, and so do we. */
export const FILE_FIELD = 'fileAttachment';

/** The body of a forwarded upload's response. */
export interface ForwardResponse {
  readonly uploadedFiles: Readonly<Record<string, string>>;
  readonly twilioMediaSids?: readonly string[] | undefined;
  /** When the URLs of secure attachments stop being public, in Unix milliseconds. */
  readonly expiresAt?: number;
}

/** So long are the URLs of secure attachments public. */
const SECURE_URL_TTL_MS = 60 * 60_000;

/** Where forwarded files go, and who is told of what happens there. */
export interface ForwardTarget {
  readonly leadway: LeadwayClient;
  readonly locationId: string;
  /** Told once when the upload can't be completed any more. */
  onFailure(error: AppError): void;
  onTiming(timing: UpstreamTiming): void;
}

/** Carries files to Leadway while they arrive. */
export class ForwardCarrier {
  readonly #target: ForwardTarget;
  readonly #encoder = createMultipartEncoder();
  readonly #request: ForwardRequest;
  /** How many values of each field have gone out. */
  readonly #sent = new Map<string, number>();

  /**
   * Opens the request and sends the fields that are known.
   *
   * @param exact The one file and its size in bytes, when nothing but it can follow; null otherwise.
   */
  constructor(
    target: ForwardTarget,
    fields: UploadFields,
    exact: { file: IncomingFile; bytes: number } | null,
  ) {
    this.#target = target;
    const known = toLeadwayFields(fields, target.locationId);
    for (const [name] of known) this.#sent.set(name, (this.#sent.get(name) ?? 0) + 1);
    const opening = Buffer.from(toText(known, this.#encoder));
    const { fileTail, closing, contentType } = this.#encoder;
    const contentLength =
      exact &&
      opening.length + this.#headOf(exact.file).length + exact.bytes + fileTail.length + closing.length;
    this.#request = new ForwardRequest(
      { leadway: target.leadway, locationId: target.locationId, contentType, contentLength },
      target.onFailure,
      target.onTiming,
    );
    this.#request.write(opening);
  }

  /** Begins a file, with the bytes that were held of it. */
  beginFile(file: IncomingFile): Promise<void> | undefined {
    let wait = this.#request.write(this.#headOf(file));
    for (const chunk of file.release()) wait = this.#request.write(chunk);
    return file.isWhole ? this.endFile() : wait;
  }

  /** Sends more of the file that was begun last. A promise means: wait for it before sending more. */
  write(chunk: Buffer): Promise<void> | undefined {
    return this.#request.write(chunk);
  }

  /** Ends the file that was begun last. */
  endFile(): Promise<void> | undefined {
    return this.#request.write(Buffer.from(this.#encoder.fileTail));
  }

  /** The commit: sends the fields that came late and the closing delimiter. */
  async finish(fields: UploadFields): Promise<ForwardResponse> {
    const seen = new Map<string, number>();
    const late = toLeadwayFields(fields, this.#target.locationId).filter(([name]) => {
      const position = (seen.get(name) ?? 0) + 1;
      seen.set(name, position);
      return position > (this.#sent.get(name) ?? 0);
    });
    const closing = Buffer.from(toText(late, this.#encoder) + this.#encoder.closing);
    const response = await this.#request.commit([closing]);
    return toForwardResponse(response, this.#target, fields);
  }

  /** Cuts the connection to Leadway, which then has no complete request. */
  destroy(): void {
    this.#request.destroy();
  }

  #headOf(file: IncomingFile): Buffer {
    return Buffer.from(this.#encoder.fileHead(FILE_FIELD, file.name, file.contentType));
  }
}

/** An upload that is sent in one piece, because it was small enough to be held. */
export interface HeldUpload {
  readonly response: Promise<ForwardResponse>;
  destroy(): void;
}

/**
 * Sends files that were held whole, with their exact length. They are sent again, once each, when a reused
 * connection ended before any byte of a response, and when Leadway rejects the token and another one is at hand
 * by then.
 */
export function sendHeldFiles(
  target: ForwardTarget,
  fields: UploadFields,
  files: readonly IncomingFile[],
): HeldUpload {
  const encoder = createMultipartEncoder();
  const held: Buffer[] = [];
  const body: Buffer[] = [];
  let text = toText(toLeadwayFields(fields, target.locationId), encoder);
  for (const file of files) {
    const chunks = file.release();
    held.push(...chunks);
    text += encoder.fileHead(FILE_FIELD, file.name, file.contentType);
    body.push(Buffer.from(text), ...chunks);
    text = encoder.fileTail;
  }
  body.push(Buffer.from(text + encoder.closing));
  const contentLength = body.reduce((sum, piece) => sum + piece.length, 0);
  const open = (connection: Connection): ForwardRequest =>
    new ForwardRequest(
      {
        leadway: target.leadway,
        locationId: target.locationId,
        contentType: encoder.contentType,
        contentLength,
        connection,
      },
      target.onFailure,
      target.onTiming,
    );
  const destroyed = new AbortController();
  let request = open('pooled');
  let hasMetStaleConnection = false;
  const sendAgain = async (connection: Connection): Promise<LeadwayResponse> => {
    await target.leadway.options.quota.take(target.locationId, destroyed.signal);
    request = open(connection);
    return commit();
  };
  const commit = async (): Promise<LeadwayResponse> => {
    try {
      return await request.commit(body);
    } catch (error) {
      if (hasMetStaleConnection || !request.wasStale || destroyed.signal.aborted) throw error;
      hasMetStaleConnection = true;
      return sendAgain('fresh');
    }
  };
  const send = async (): Promise<ForwardResponse> => {
    let response = await commit();
    const mayRepeat = !response.ok && isBadToken(response.rejection) && !destroyed.signal.aborted;
    if (mayRepeat && request.hasFresherToken()) response = await sendAgain('pooled');
    // The form has been read to its end and nothing is sent again: nobody else has these bytes. After a failed
    // write the kernel may still be reading them.
    if (request.hasSentAll && !hasMetStaleConnection) held.forEach(freeMemoryOf);
    return toForwardResponse(response, target, fields);
  };
  return {
    response: send(),
    destroy() {
      destroyed.abort();
      request.destroy();
    },
  };
}

async function toForwardResponse(
  response: LeadwayResponse,
  { leadway, locationId }: ForwardTarget,
  { isSecureAttachment }: UploadFields,
): Promise<ForwardResponse> {
  if (!response.ok) throw leadway.toError(response.rejection, locationId);
  const parsed = uploadResponse.safeParse(response.json);
  if (!parsed.success) throw appError('UPSTREAM_ERROR', { cause: parsed.error });
  return { ...parsed.data, ...(isSecureAttachment && { expiresAt: Date.now() + SECURE_URL_TTL_MS }) };
}

function toText(fields: readonly LeadwayField[], encoder: MultipartEncoder): string {
  return fields.map(([name, value]) => encoder.field(name, value)).join('');
}

type LeadwayField = readonly [name: string, value: string];

/** The fields of Leadway's upload form, in its order, without those that were not given. */
function toLeadwayFields(fields: UploadFields, locationId: string): LeadwayField[] {
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
