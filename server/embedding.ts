import type { IncomingMessage } from 'node:http';
import type { Client } from './auth/authenticator.ts';
import { appError } from './errors/app-error.ts';
import type { Logger } from './logger.ts';
import type { Mode } from './uploads/mode.ts';

/** The user behind a request. */
export interface User {
  /** Distinct for every user: limits and tickets are bound to it. */
  readonly id: string;
  /** The locations that the user may upload to, of those that the server has a token for. */
  readonly locations: readonly string[] | 'all';
}

/** A file whose leading bytes have been checked. */
export interface CheckedFile {
  readonly name: string;
  readonly contentType: string;
}

/** A file that Leadway has. */
export interface UploadedFile extends CheckedFile {
  /** In bytes; null where neither the client nor storage has said it. */
  readonly size: number | null;
  readonly url: string;
}

/** Whose upload it is and where it goes. */
export interface UploadTarget {
  readonly user: User;
  /** Null when it has not arrived yet. */
  readonly locationId: string | null;
  /** Null when it has not arrived yet, or is not given. */
  readonly conversationId: string | null;
  /** Null when it has not arrived yet, or is not given. */
  readonly contactId: string | null;
}

/** What `beforeUpload` gets. */
export interface PendingUpload extends UploadTarget {
  /** The files so far. */
  readonly files: readonly CheckedFile[];
}

/** What `afterUpload` gets. */
export interface FinishedUpload extends UploadTarget {
  readonly mode: Mode;
  readonly files: readonly UploadedFile[];
}

/** What an embedding program adds to the server. */
export interface Embedding {
  readonly authenticate?: (req: IncomingMessage) => Promise<User | null> | User | null;
  readonly beforeUpload?: (upload: PendingUpload) => Promise<void> | void;
  readonly afterUpload?: (upload: FinishedUpload) => Promise<void> | void;
}

/** Thrown by `beforeUpload` to reject an upload. */
export class UploadRejected extends Error {
  override readonly name = 'UploadRejected';
  readonly status: number;

  /**
   * @param status Of the response, 400 to 499.
   * @param message Shown to the user as it is.
   */
  constructor(status: number, message: string) {
    super(message);
    if (!Number.isInteger(status) || status < 400 || status > 499) {
      throw new TypeError(`UploadRejected needs a status from 400 to 499, got ${status}`);
    }
    this.status = status;
  }
}

/** The hooks of an embedding program as the server calls them. */
export interface UploadHooks {
  /** Null without a hook, so that uploads wait for nothing. */
  readonly before: ((upload: PendingUpload) => Promise<void>) | null;
  /** Never rejects, and nothing waits for it. */
  after(upload: FinishedUpload): void;
}

/** Turns what `beforeUpload` throws into a response, and logs what `afterUpload` throws. */
export function createUploadHooks({ beforeUpload, afterUpload }: Embedding, logger: Logger): UploadHooks {
  return {
    before:
      beforeUpload === undefined
        ? null
        : async (upload) => {
            try {
              await beforeUpload(upload);
            } catch (error) {
              if (!(error instanceof UploadRejected)) throw error;
              const { status, message } = error;
              throw appError('UPLOAD_REJECTED', { status, upstreamMessage: message });
            }
          },
    after(upload) {
      if (afterUpload === undefined) return;
      // In a promise, so that a hook that throws at once is treated like one that rejects.
      Promise.resolve(upload)
        .then(afterUpload)
        .catch((err: unknown) =>
          logger.error({ err }, 'afterUpload failed; the upload itself has succeeded'),
        );
    },
  };
}

/** The user as hooks get it. */
export function toUser({ id, locations }: Client): User {
  return { id, locations: locations === null ? 'all' : [...locations] };
}
