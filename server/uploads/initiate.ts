import type { Client } from '../auth/authenticator.ts';
import { assertDeliverable, assessDelivery } from '../delivery/assess.ts';
import { createMediaProbe } from '../delivery/media-probe.ts';
import { toUser } from '../embedding.ts';
import { type AppError, toAppError } from '../errors/app-error.ts';
import {
  bodyTooLarge,
  directUnavailable,
  emptyFile,
  fileTooLarge,
  sizeMismatch,
  tooManyFiles,
} from '../errors/factories.ts';
import { LEADING_BYTES } from '../file-types/file-types.ts';
import { checkDeclaredType } from '../file-types/validation.ts';
import { BufferList } from '../http/buffers.ts';
import type { LogFields } from '../http/log-fields.ts';
import { type IdempotentRequest, leadingDigest, runIdempotently } from '../idempotency/idempotency.ts';
import type { InitiateResponse } from './direct.ts';
import { parseUploadFields, type RawFields, required, type UploadFields } from './fields.ts';
import { cleanFileName } from './filename.ts';
import { IncomingFile, toTypeError } from './incoming-file.ts';
import { resolveLocation } from './locations.ts';
import { assertNotForwardOnly, channelMaxBytes } from './mode.ts';
import { type FilePart, SETTLED, type UploadContext } from './upload.ts';

/** The leading bytes of the file that a signed URL is requested for. */
export interface LeadingBytes {
  readonly filename: string;
  readonly declaredType: string | null;
  readonly bytes: Buffer;
}

/** Who asks for a signed URL, and for what. */
export interface InitiateRequest {
  readonly client: Client;
  readonly fields: UploadFields;
  /** Null when the file is only described. */
  readonly leading: LeadingBytes | null;
  /** Where it writes what the log needs. */
  readonly log: LogFields;
  /** Null for a request without `Idempotency-Key`. */
  readonly idempotent: IdempotentRequest | null;
}

/**
 * Checks the file, then requests a signed URL for it. The content is checked if leading bytes were sent, otherwise
 * only name and declared type.
 *
 * @throws AppError what is wrong with the request, what Leadway rejected, `DIRECT_UNAVAILABLE`.
 */
export async function initiateUpload(
  context: UploadContext,
  { client, fields, leading, log, idempotent }: InitiateRequest,
  signal: AbortSignal,
): Promise<InitiateResponse> {
  log.mode = 'direct';
  assertNotForwardOnly(fields);
  const conversationId = required(fields.conversationId, 'conversationId');
  const locationId = required(resolveLocation(context.locationsFor(client), fields.locationId), 'locationId');
  log.locationId = locationId;
  const filename = cleanFileName(required(fields.filename ?? leading?.filename ?? null, 'filename'));
  const declared = fields.contentType ?? leading?.declaredType ?? null;
  const { contentType, media } =
    leading === null
      ? await typeByName(context, filename, declared)
      : await typeByContent(context, filename, declared, leading.bytes, fields.fileSize);
  log.contentType = contentType;
  const channel = fields.channel ?? context.defaultChannel;
  const limit = channelMaxBytes(channel);
  if (fields.fileSize !== null && fields.fileSize > limit) throw fileTooLarge(limit, channel);

  if (!context.isDirectAllowed) throw directUnavailable('relay');

  const { fileSize } = fields;
  const delivery = assessDelivery(channel, [{ name: filename, size: fileSize, media }]);
  if (context.strictDelivery) assertDeliverable(delivery);
  await context.hooks.before?.({
    user: toUser(client),
    locationId,
    conversationId,
    contactId: fields.contactId,
    files: [{ name: filename, contentType }],
  });
  const described = {
    client: client.id,
    locationId,
    conversationId,
    contactId: fields.contactId,
    filename,
    contentType,
    fileSize,
    channel,
  };
  const describe = () => ({ ...described, digest: leading === null ? null : leadingDigest(leading.bytes) });
  return runIdempotently(idempotent, { locationId, describe, isCommit: false, signal, log }, async () => {
    const ticket = await context.direct.initiate({ ...described, delivery }, signal, log);
    if (ticket === null) throw directUnavailable();
    if (fileSize !== null && fileSize > ticket.maxFileSize) throw fileTooLarge(ticket.maxFileSize, channel);
    return context.direct.toResponse(ticket);
  });
}

type CheckedFile = Pick<IncomingFile, 'contentType' | 'media'>;

async function typeByName(
  { policy }: UploadContext,
  filename: string,
  declaredType: string | null,
): Promise<CheckedFile> {
  const checked = await checkDeclaredType({ filename, declaredType, isMultipart: false, policy });
  if (!checked.ok) throw toTypeError(checked.problem, filename, policy);
  return { contentType: checked.type.contentType, media: createMediaProbe(checked.type).media() };
}

async function typeByContent(
  { policy }: UploadContext,
  filename: string,
  declaredType: string | null,
  bytes: Buffer,
  fileSize: number | null,
): Promise<CheckedFile> {
  if (bytes.length === 0) throw emptyFile(filename);
  if (fileSize !== null && bytes.length > fileSize) throw sizeMismatch(fileSize, bytes.length);
  // No observers: the file itself does not pass through here.
  const file = new IncomingFile(
    { name: filename, declaredType, isMultipart: true },
    { policy, fileObservers: [] },
  );
  await file.checkLeadingBytes(bytes, bytes.length === fileSize ? 'whole' : 'partial');
  return file;
}

/** How much of a file is kept to be checked. */
const MAX_KEPT_BYTES = Math.max(LEADING_BYTES, 64 * 1024);

/** Options of {@link InitiateForm}. */
export interface InitiateFormOptions {
  readonly client: Client;
  /** Where the form writes what the log needs. */
  readonly log?: LogFields;
  readonly idempotent?: IdempotentRequest | null;
}

/** A form that asks for a signed URL and brings the leading bytes of the file. It settles once. */
export class InitiateForm {
  readonly #settled = new AbortController();
  /** Aborted as soon as the form has settled. */
  readonly signal: AbortSignal = this.#settled.signal;
  readonly #context: UploadContext;
  readonly #client: Client;
  readonly #log: LogFields;
  readonly #idempotent: IdempotentRequest | null;
  readonly #response = Promise.withResolvers<InitiateResponse>();
  #raw: RawFields = {};
  #leading: LeadingBytes | null = null;

  constructor(context: UploadContext, { client, log = {}, idempotent = null }: InitiateFormOptions) {
    this.#context = context;
    this.#client = client;
    this.#log = log;
    this.#idempotent = idempotent;
    this.#response.promise.catch(() => {});
  }

  /** Rejects with the AppError to respond with. */
  get response(): Promise<InitiateResponse> {
    return this.#response.promise;
  }

  fail(error: AppError): void {
    if (this.signal.aborted) return;
    this.#settled.abort(SETTLED);
    this.#response.reject(error);
  }

  fieldsChanged(raw: RawFields): void {
    this.#raw = raw;
  }

  async receiveFile({ filename, declaredType, stream }: FilePart): Promise<void> {
    try {
      if (this.#leading !== null) throw tooManyFiles(1);
      const chunks = new BufferList();
      let size = 0;
      const keep = (chunk: Buffer): undefined => {
        if (size < MAX_KEPT_BYTES) chunks.push(chunk);
        size += chunk.length;
        // A client that sends the whole file is using the wrong endpoint.
        const limit = MAX_KEPT_BYTES * 2;
        if (size > limit) throw bodyTooLarge(limit);
      };
      await stream.pump(keep, this.signal);
      this.#leading = { filename, declaredType, bytes: Buffer.concat(chunks.drain()) };
    } catch (error) {
      this.fail(toAppError(error));
      stream.discard();
      throw error;
    }
  }

  onFormEnd(): void {
    if (this.signal.aborted) return;
    this.#initiate().catch((error) => this.fail(toAppError(error)));
  }

  async #initiate(): Promise<void> {
    const fields = parseUploadFields(this.#raw, this.#context.attachmentUrlOrigins);
    const request = {
      client: this.#client,
      fields,
      leading: this.#leading,
      log: this.#log,
      idempotent: this.#idempotent,
    };
    const response = await initiateUpload(this.#context, request, this.signal);
    this.#settled.abort(SETTLED);
    this.#response.resolve(response);
  }
}
