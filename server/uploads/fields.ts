import { ID_PATTERN } from '../config/parsers.ts';
import { appError } from '../errors/app-error.ts';
import { duplicateField, invalidField, missingField, missingRecipient } from '../errors/factories.ts';

/** The text fields of an upload, checked. Null or empty if a field was not given. */
export interface UploadFields {
  readonly conversationId: string | null;
  readonly contactId: string | null;
  readonly locationId: string | null;
  readonly attachmentUrls: readonly string[];
  readonly chatServiceSid: string | null;
  readonly isGroupSms: boolean | null;
  readonly isSecureAttachment: boolean | null;
  readonly channel: string | null;
  readonly fileSize: number | null;
  /** Name and type of the file, if they are separate fields (initiate). */
  readonly filename: string | null;
  readonly contentType: string | null;
}

/** The field for files, here and at Leadway. */
export const FILE_FIELD = 'fileAttachment';

/** The names under which fields are read; any other field is ignored. */
export const UPLOAD_FIELD_NAMES: ReadonlySet<string> = new Set([
  'conversationId',
  'contactId',
  'locationId',
  'attachmentUrls',
  'attachmentUrls[]', // the brackets may hold any number
  'chatServiceSid',
  'isGroupSms',
  'isSecureAttachment',
  'channel',
  'fileSize',
]);

/** Further fields of initiate as multipart. */
export const INITIATE_FIELD_NAMES: ReadonlySet<string> = new Set([
  ...UPLOAD_FIELD_NAMES,
  'filename',
  'contentType',
]);

/** The shape of a `chatServiceSid`. */
export const CHAT_SERVICE_SID = /^IS[0-9a-fA-F]{32}$/;
/** The shape of a channel's name. */
export const CHANNEL = /^[A-Za-z][A-Za-z0-9_]{0,31}$/;
/** A form has room for fewer; JSON would have room for a hundred thousand, each to be parsed. */
const MAX_ATTACHMENT_URLS = 20;
const SIZE = /^(?:0|[1-9]\d{0,14})$/;

/** Values by field name as they arrived: text, or a list where a name was repeated. */
export type RawFields = Readonly<Record<string, unknown>>;

/**
 * Checks the fields that have arrived. Required ones are checked later, when all have.
 *
 * @throws AppError `INVALID_FIELD` or `DUPLICATE_FIELD`.
 */
export function parseUploadFields(raw: RawFields, attachmentUrlOrigins: readonly string[]): UploadFields {
  const size = matching(raw, 'fileSize', SIZE, 'size');
  if (size !== null && Number(size) === 0) {
    throw appError('EMPTY_FILE', { message: 'EMPTY_FILE.declared', details: { field: 'fileSize' } });
  }
  const channel = matching(raw, 'channel', CHANNEL, 'channel');
  return {
    conversationId: matching(raw, 'conversationId', ID_PATTERN, 'id'),
    contactId: matching(raw, 'contactId', ID_PATTERN, 'id'),
    locationId: matching(raw, 'locationId', ID_PATTERN, 'id'),
    attachmentUrls: parseAttachmentUrls(raw['attachmentUrls'], attachmentUrlOrigins),
    chatServiceSid: matching(raw, 'chatServiceSid', CHAT_SERVICE_SID, 'chatServiceSid'),
    isGroupSms: flag(raw, 'isGroupSms'),
    isSecureAttachment: flag(raw, 'isSecureAttachment'),
    channel: channel === null ? null : channel.toUpperCase(),
    fileSize: size === null ? null : Number(size),
    filename: single(raw, 'filename'),
    contentType: single(raw, 'contentType'),
  };
}

/** What is known before the first field. */
export const NO_FIELDS: UploadFields = parseUploadFields({}, []);

/** The value of a field that may be given once; null when it is missing or empty. */
function single(raw: RawFields, field: string): string | null {
  const value = raw[field];
  if (value === undefined || value === null || value === '') return null;
  if (Array.isArray(value)) throw duplicateField(field);
  // JSON bodies may give a size as a number, and a flag as a boolean; anything else says what was expected.
  if (typeof value !== 'object' && (field === 'fileSize' || field.startsWith('is'))) return String(value);
  if (typeof value !== 'string') throw invalidField(field, 'text');
  return value;
}

function flag(raw: RawFields, field: string): boolean | null {
  const value = single(raw, field);
  if (value === null) return null;
  if (value === 'true' || value === 'false') return value === 'true';
  throw invalidField(field, 'oneOf', { expected: 'true, false' });
}

type FieldVariant = Parameters<typeof invalidField>[1];

function matching(raw: RawFields, field: string, pattern: RegExp, variant: FieldVariant): string | null {
  const value = single(raw, field);
  if (value !== null && !pattern.test(value)) throw invalidField(field, variant);
  return value;
}

/** These files are not checked, so only https URLs of listed origins are accepted. */
function parseAttachmentUrls(value: unknown, origins: readonly string[]): readonly string[] {
  // Form libraries write an empty list as an empty value, or as its JSON.
  if (value === undefined || value === null || value === '[]') return [];
  const given = (Array.isArray(value) ? value : [value]).filter((url) => url !== undefined && url !== '');
  if (given.length > MAX_ATTACHMENT_URLS) throw invalidField('attachmentUrls', 'attachmentUrl');
  return given.map((text) => {
    const url = typeof text === 'string' && URL.canParse(text) ? new URL(text) : null;
    const isAllowed =
      url !== null &&
      url.username === '' &&
      url.password === '' &&
      url.protocol === 'https:' &&
      origins.includes(url.origin);
    if (!isAllowed) throw invalidField('attachmentUrls', 'attachmentUrl');
    return url.href;
  });
}

/**
 * Asserts that a forwarded file has a recipient: Leadway accepts either id.
 *
 * @throws AppError `MISSING_FIELD`
 */
export function assertRecipient({ conversationId, contactId }: UploadFields): void {
  if (conversationId !== null || contactId !== null) return;
  throw missingRecipient();
}

/**
 * Returns `value`, or throws if it is null.
 *
 * @throws AppError `MISSING_FIELD`
 */
export function required<T>(value: T | null, field: string): T {
  if (value === null) throw missingField(field);
  return value;
}
