import { matchesOrigin, type OriginPattern } from '../config/addresses.ts';
import type { Assessment } from '../delivery/assess.ts';
import { appError } from '../errors/app-error.ts';
import { directUnavailable, sizeMismatch } from '../errors/factories.ts';
import type { LogFields } from '../http/log-fields.ts';
import { type DirectCapability, isEndpointMissing, meansNotOffered } from '../leadway/capability.ts';
import { type LeadwayClient, PATHS } from '../leadway/client.ts';
import type { LeadwayRejection } from '../leadway/errors.ts';
import { completeResponse, initiateResponse } from '../leadway/response.ts';
import type { Ticket, TicketCodec } from './tickets.ts';

/** The file that a signed URL is requested for. */
export interface DirectFile {
  readonly client: string;
  readonly locationId: string;
  readonly conversationId: string;
  readonly contactId: string | null;
  readonly filename: string;
  /** The canonical type; storage binds the signed URL to it. */
  readonly contentType: string;
  readonly fileSize: number | null;
  readonly channel: string;
  readonly delivery: Assessment;
}

/** The body of an initiate response. */
export interface InitiateResponse {
  readonly uploadUrl: string;
  readonly method: 'PUT';
  readonly headers: { readonly 'Content-Type': string };
  readonly uploadId: string;
  readonly filePath: string;
  readonly expiresAt: number;
  readonly maxFileSize: number;
  readonly filename: string;
  readonly contentType: string;
  readonly ticket: string;
  readonly contentUrl: string;
  readonly completeUrl: string;
  readonly delivery: Assessment;
}

/** The body of a complete response. */
export interface CompleteResponse {
  readonly uploadedFiles: Readonly<Record<string, string>>;
  /** The stored file, by Leadway; `size` in bytes. */
  readonly metadata: { readonly size?: number | undefined; readonly contentType?: string | undefined };
}

/** Dependencies of {@link DirectUploads}. */
export interface DirectUploadsOptions {
  readonly leadway: LeadwayClient;
  readonly tickets: TicketCodec;
  readonly capability: DirectCapability;
  readonly storageOrigins: readonly OriginPattern[];
  readonly basePath: string;
}

/** Asks Leadway for signed URLs, and completes uploads that are in storage. */
export class DirectUploads {
  readonly #options: DirectUploadsOptions;

  constructor(options: DirectUploadsOptions) {
    this.#options = options;
  }

  /** False while Leadway is known not to offer direct uploads for the location. */
  isOffered(locationId: string): boolean {
    return this.#options.capability.isOffered(locationId);
  }

  /**
   * Asks for a signed URL and seals a ticket for it. Null when Leadway does not offer that.
   *
   * @throws AppError what Leadway rejected, or `UPSTREAM_ERROR` for an invalid response, such as
   *   a URL outside of the storage origins.
   */
  async initiate(file: DirectFile, signal: AbortSignal, log: LogFields = {}): Promise<Ticket | null> {
    const { leadway, capability, storageOrigins } = this.#options;
    const { locationId } = file;
    if (!capability.isOffered(locationId)) return null;
    const response = await leadway.postJson(PATHS.initiate, locationId, toInitiateBody(file), signal, log);
    if (!response.ok) {
      if (!meansNotOffered(response.rejection)) throw leadway.toError(response.rejection, locationId);
      capability.noteUnavailable(locationId);
      return null;
    }
    capability.noteOffered(locationId);
    const parsed = initiateResponse.safeParse(response.json);
    if (!parsed.success) throw appError('UPSTREAM_ERROR', { cause: parsed.error });
    const { uploadUrl } = parsed.data;
    if (!isStorageUrl(uploadUrl, storageOrigins)) {
      const origin = URL.canParse(uploadUrl) ? new URL(uploadUrl).origin : 'no origin';
      throw appError('UPSTREAM_ERROR', {
        cause: new Error(`initiate responded with a URL of ${origin}, which STORAGE_ORIGINS does not list`),
      });
    }
    return { ...file, ...parsed.data };
  }

  /** The response that lets the client upload by itself. */
  async toResponse(ticket: Ticket): Promise<InitiateResponse> {
    const { tickets, basePath } = this.#options;
    const { uploadUrl, uploadId, filePath, expiresAt, maxFileSize, filename, contentType, delivery } = ticket;
    return {
      uploadUrl,
      method: 'PUT',
      headers: { 'Content-Type': contentType },
      uploadId,
      filePath,
      expiresAt,
      maxFileSize,
      filename,
      contentType,
      ticket: await tickets.seal(ticket),
      contentUrl: `${basePath}/messages/upload/content`,
      completeUrl: `${basePath}/messages/upload/complete`,
      delivery,
    };
  }

  /**
   * Has Leadway complete the upload of `ticket`, whose file is in storage. Resolves to its public URL.
   *
   * @throws AppError `NOT_UPLOADED` when it is not there, `DIRECT_UNAVAILABLE` if Leadway no longer offers it,
   *   `SIZE_MISMATCH` when the size differs from the declared one, what Leadway rejected.
   */
  async complete(ticket: Ticket, signal: AbortSignal, log: LogFields = {}): Promise<CompleteResponse> {
    const { leadway, capability } = this.#options;
    const { uploadId, filePath, locationId, conversationId, filename } = ticket;
    const body = { uploadId, filePath, locationId, conversationId, filename };
    const response = await leadway.postJson(PATHS.complete, locationId, body, signal, log);
    if (!response.ok) {
      if (isEndpointMissing(response.rejection)) {
        capability.noteUnavailable(locationId);
        throw directUnavailable();
      }
      if (isFileMissing(response.rejection)) throw appError('NOT_UPLOADED');
      throw leadway.toError(response.rejection, locationId);
    }
    const parsed = completeResponse.safeParse(response.json);
    if (!parsed.success) throw appError('UPSTREAM_ERROR', { cause: parsed.error });
    const { size } = parsed.data.metadata;
    if (ticket.fileSize !== null && size !== undefined && ticket.fileSize !== size) {
      throw sizeMismatch(ticket.fileSize, size);
    }
    return parsed.data;
  }
}

/** Leadway uses both statuses for it. */
function isFileMissing({ status, message }: LeadwayRejection): boolean {
  return status === 404 || (status === 400 && /\bfile\b.*\bnot found\b/i.test(message));
}

function toInitiateBody(file: DirectFile): Record<string, unknown> {
  const { locationId, conversationId, filename, contentType, fileSize, channel } = file;
  return {
    locationId,
    conversationId,
    filename,
    contentType,
    channel,
    ...(fileSize !== null && { fileSize }),
  };
}

/** Printable ASCII with two slashes, a plain host and a path: what every URL parser reads alike. */
const PLAIN_URL = /^https?:\/\/[A-Za-z0-9.:[\]-]+\/[!-[\]-~]*$/;

/**
 * Whether `text` is a URL on one of the storage origins for every client that may get it. The attack: our parser forgives
 * a backslash, a tab or a missing slash where another one reads another host, and the browser would send the file there.
 */
export function isStorageUrl(text: string, origins: readonly OriginPattern[]): boolean {
  if (!PLAIN_URL.test(text) || !URL.canParse(text)) return false;
  const url = new URL(text);
  return origins.some((origin) => matchesOrigin(origin, url));
}
