import type { ErrorDetails, UploadErrorCode } from './error-codes.ts';

/** What an {@link UploadError} has besides its code and message. */
export interface UploadErrorFacts {
  /** HTTP status; 0 when there was no response. */
  readonly status: number;
  /** Whether the same upload may succeed later. */
  readonly retryable: boolean;
  /** How long to wait before the next request, in ms. */
  readonly retryAfterMs?: number | undefined;
  /** The id of the request in the server's log. */
  readonly requestId?: string | undefined;
  /** Depends on the code: `limit`, `channel`, `allowed`, … */
  readonly details?: Readonly<Record<string, unknown>> | undefined;
  /** The error that caused this one. */
  readonly cause?: unknown;
}

/** An error with the code `C`, whose `details` are known. */
type WithCode<C extends UploadErrorCode> = {
  readonly code: C;
  readonly details?: C extends keyof ErrorDetails ? ErrorDetails[C] : Readonly<Record<string, unknown>>;
};

/**
 * Why an upload failed: `code` for programs, `message` for people.
 *
 * @example
 * ```ts
 * import { createUploader, UploadError } from 'leadway-bff-client';
 *
 * const ids = { conversationId: 'sandboxConversation01', contactId: 'sandboxContact01' };
 * try {
 *   await createUploader().upload(new File(['MZ'], 'setup.exe'), ids);
 * } catch (error) {
 *   if (!(error instanceof UploadError)) throw error;
 *   console.log(error.code, error.message); // TYPE_NOT_ALLOWED, "setup.exe looks like a Windows program …"
 *   if (error.is('FILE_TOO_LARGE')) console.log(error.details?.limit); // a number
 * }
 * ```
 */
export class UploadError extends Error implements UploadErrorFacts {
  declare readonly status: number;
  declare readonly retryable: boolean;
  declare readonly retryAfterMs?: number | undefined;
  declare readonly requestId?: string | undefined;
  declare readonly details?: Readonly<Record<string, unknown>> | undefined;
  /** One of the server's codes (docs/errors.md), or one of the client's own; `is()` narrows `details` by it. */
  readonly code: UploadErrorCode;

  constructor(code: UploadErrorCode, message: string, facts: UploadErrorFacts) {
    super(message, facts);
    this.name = 'UploadError';
    this.code = code;
    Object.assign(this, facts);
  }

  /** Whether the error has this code, and `details` the type that goes with it. */
  is<C extends UploadErrorCode>(code: C): this is this & WithCode<C> {
    return this.code === code;
  }
}
