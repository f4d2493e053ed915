import type { Client } from '../auth/authenticator.ts';
import { toUser } from '../embedding.ts';
import { checkDeclaredType } from '../file-types/validation.ts';
import type { LogFields } from '../http/log-fields.ts';
import { channelMaxBytes } from './channels.ts';
import type { InitiateResponse } from './direct-uploads.ts';
import { cleanFileName } from './file-name.ts';
import { emptyFile, IncomingFile, toTypeError } from './incoming-file.ts';
import { resolveLocation } from './locations.ts';
import { overLimit } from './mode.ts';
import { directUnavailable } from './relay-carrier.ts';
import type { UploadContext } from './upload-context.ts';
import { sizeMismatch } from './upload-errors.ts';
import { required, type UploadFields } from './upload-fields.ts';

/** The beginning of the file that a signed URL is asked for. */
export interface OfferedHead {
  readonly filename: string;
  readonly declaredType: string | null;
  readonly head: Buffer;
}

/** What a signed URL is asked for, and by whom. */
export interface InitiateRequest {
  readonly client: Client;
  readonly fields: UploadFields;
  readonly offered: OfferedHead | null;
  /** Where it is noted what the log needs. */
  readonly facts: LogFields;
}

/**
 * Checks what a signed URL is asked for, then asks for it. The content is judged where its head was sent;
 * otherwise only name and declared type can be.
 *
 * @throws AppError what is wrong with the request, what Leadway rejected, `DIRECT_UNAVAILABLE`.
 */
export async function initiateUpload(
  context: UploadContext,
  { client, fields, offered, facts }: InitiateRequest,
  signal: AbortSignal,
): Promise<InitiateResponse> {
  facts.mode = 'direct';
  const conversationId = required(fields.conversationId, 'conversationId');
  const locationId = required(resolveLocation(context.locationsFor(client), fields.locationId), 'locationId');
  facts.locationId = locationId;
  const filename = cleanFileName(required(fields.filename ?? offered?.filename ?? null, 'filename'));
  const declared = fields.contentType ?? offered?.declaredType ?? null;
  const contentType =
    offered === null
      ? await judgeByName(context, filename, declared)
      : await judgeByHead(context, filename, declared, offered.head, fields.fileSize);
  facts.contentType = contentType;
  const channel = fields.channel ?? context.defaultChannel;
  const limit = channelMaxBytes(channel);
  if (fields.fileSize !== null && fields.fileSize > limit) throw overLimit(limit, channel);

  const { fileSize } = fields;
  await context.hooks.before?.({
    user: toUser(client),
    locationId,
    conversationId,
    contactId: fields.contactId,
    files: [{ name: filename, contentType }],
  });
  const ticket = await context.direct.initiate(
    { client: client.id, locationId, conversationId, filename, contentType, fileSize, channel },
    signal,
  );
  if (ticket === null) throw directUnavailable();
  if (fileSize !== null && fileSize > ticket.maxFileSize) throw overLimit(ticket.maxFileSize, channel);
  return context.direct.toResponse(ticket);
}

async function judgeByName(
  context: UploadContext,
  filename: string,
  declared: string | null,
): Promise<string> {
  const verdict = await checkDeclaredType({ filename, declared, multipart: false, policy: context.policy });
  if (!verdict.ok) throw toTypeError(verdict.problem, filename, context.policy);
  return verdict.type.contentType;
}

async function judgeByHead(
  context: UploadContext,
  filename: string,
  declaredType: string | null,
  head: Buffer,
  fileSize: number | null,
): Promise<string> {
  if (head.length === 0) throw emptyFile(filename);
  if (fileSize !== null && head.length > fileSize) {
    throw sizeMismatch(fileSize, head.length);
  }
  const file = new IncomingFile({ name: filename, declaredType, isMultipart: true }, context.policy);
  await file.admit(head, head.length === fileSize ? 'whole' : 'part');
  return file.contentType;
}
