import { type AppError, appError } from './app-error.ts';
import { type MessageKey, type MessageParams, sizeText } from './messages.ts';

/** Errors whose message or `details` take values. The others are made by `appError(code)`. */

type VariantOf<Code extends string, Key = MessageKey> = Key extends `${Code}.${infer Variant}`
  ? Variant
  : never;

export function missingField(field: string): AppError {
  return appError('MISSING_FIELD', { params: { field }, details: { field } });
}

/** A forwarded file needs a conversation or a contact, and has neither. */
export function missingRecipient(): AppError {
  return appError('MISSING_FIELD', {
    message: 'MISSING_FIELD.recipient',
    details: { field: 'conversationId', fields: ['conversationId', 'contactId'] },
  });
}

/** @param variant What was expected of the field. */
export function invalidField(
  field: string,
  variant: VariantOf<'INVALID_FIELD'>,
  params: MessageParams = {},
): AppError {
  return appError('INVALID_FIELD', {
    message: `INVALID_FIELD.${variant}`,
    params: { field, ...params },
    details: { field },
  });
}

export function duplicateField(field: string): AppError {
  return appError('DUPLICATE_FIELD', { params: { field }, details: { field } });
}

/** The field came after the file that needs it. */
export function fieldOrder(field: string): AppError {
  return appError('FIELD_ORDER', { params: { field }, details: { field } });
}

/** A file came in a field other than `fileAttachment`. */
export function unexpectedFileField(field: string): AppError {
  return appError('UNEXPECTED_FILE_FIELD', { params: { field }, details: { field } });
}

export function tooManyFiles(max: number): AppError {
  return appError('TOO_MANY_FILES', { params: { max }, details: { max } });
}

export function emptyFile(filename: string): AppError {
  return appError('EMPTY_FILE', { params: { filename }, details: { filename } });
}

export function badFilename(variant: VariantOf<'BAD_FILENAME'>): AppError {
  return appError('BAD_FILENAME', { message: `BAD_FILENAME.${variant}` });
}

/** The content is not as large as was declared; both in bytes. */
export function sizeMismatch(declared: number, received: number): AppError {
  return appError('SIZE_MISMATCH', { details: { declared, received } });
}

/** The file is larger than `limit` bytes. `advice` names the mode that would accept it. */
export function fileTooLarge(
  limit: number,
  channel: string,
  advice: { use?: 'direct' | 'relay' } = {},
): AppError {
  return appError('FILE_TOO_LARGE', {
    params: { limit: sizeText(limit) },
    details: { limit, channel, ...advice },
  });
}

/** The body is larger than `limit` bytes. */
export function bodyTooLarge(limit: number): AppError {
  return appError('BODY_TOO_LARGE', { params: { limit: sizeText(limit) }, details: { limit } });
}

/** The JSON of the body has more than `limit` values. */
export function tooManyValues(limit: number): AppError {
  return appError('BAD_JSON', { message: 'BAD_JSON.values', params: { limit }, details: { limit } });
}

export function notMultipart(variant: VariantOf<'NOT_MULTIPART'>): AppError {
  return appError('NOT_MULTIPART', { message: `NOT_MULTIPART.${variant}` });
}

/** The form exceeds a limit, or parsers read it in different ways. */
export function badMultipart(reason: VariantOf<'BAD_MULTIPART'>, params: MessageParams = {}): AppError {
  return appError('BAD_MULTIPART', {
    message: `BAD_MULTIPART.${reason}`,
    params,
    details: { reason, ...params },
  });
}

const CHALLENGE = 'Bearer realm="leadway-bff"';

/**
 * The request has no valid credentials. Every 401 carries a challenge (RFC 9110, section 15.5.2; RFC 6750, section 3).
 *
 * @param isRejected The credentials are invalid, and not just missing.
 * @param cause Why, for the log alone: it would help to forge them.
 */
export function unauthenticated(isRejected = false, cause?: unknown): AppError {
  const challenge = isRejected ? `${CHALLENGE}, error="invalid_token"` : CHALLENGE;
  return appError('UNAUTHENTICATED', { headers: { 'WWW-Authenticate': challenge }, cause });
}

/** Direct or relay was requested by name, and Leadway does not offer it. */
export function directUnavailable(use: 'forward' | 'relay' = 'forward'): AppError {
  return appError('DIRECT_UNAVAILABLE', { params: { use }, details: { use } });
}

/** Storage responded to a relayed file with `status`. */
export function storageRefused(status: number): AppError {
  return appError('STORAGE_REFUSED', { details: { storageStatus: status } });
}

/** @param allow The methods that the address has. */
export function methodNotAllowed(allow: string): AppError {
  return appError('METHOD_NOT_ALLOWED', { params: { allow }, headers: { Allow: allow } });
}
