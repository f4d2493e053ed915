import type { AppError } from '../../errors/app-error.ts';
import { directUnavailable } from '../../errors/factories.ts';
import type { LogFields } from '../../http/log-fields.ts';
import type { IncomingFile } from '../incoming-file.ts';
import type { Mode } from '../mode.ts';

export type SinkKind = 'hold' | 'forward' | 'relay' | 'discard';

/** The body of a response to a forwarded or relayed upload. */
export interface StoredResponse {
  readonly mode: Exclude<Mode, 'direct'>;
  readonly uploadedFiles: Readonly<Record<string, string>>;
  readonly twilioMediaSids?: readonly string[] | undefined;
  /** When the URLs of secure attachments stop being public, in Unix milliseconds. */
  readonly expiresAt?: number;
}

/**
 * Where the bytes of an upload's files go. An upload uses one sink at a time: it begins with `hold` and changes to
 * another one when enough is known. The calls for each file are `begin`, `write`…, `end`, one after the other.
 *
 * If a method returns a promise, await it before the next call.
 */
export interface Sink {
  readonly kind: SinkKind;
  /** Whether bytes go upstream as they arrive. */
  readonly isSending: boolean;
  /** Whether another sink has to take over before more bytes arrive. */
  readonly isFull: boolean;
  /** @param held Bytes that arrived before this sink took over; the sink owns them. */
  begin(file: IncomingFile, held: readonly Buffer[]): Promise<void> | undefined;
  /** Takes the next bytes of the file. They belong to the sink, which frees them once they are sent. */
  write(file: IncomingFile, chunk: Buffer): Promise<void> | undefined;
  /** The file is whole and has passed its checks. */
  end(file: IncomingFile): Promise<void> | undefined;
  /** The commit: every field and file has passed. Rejects with the AppError to respond with. */
  finish(): Promise<StoredResponse>;
  /** Closes all connections, so that nothing begun can complete. */
  destroy(): void;
}

/** What a sink shares with its upload. */
export interface SinkLink {
  /** Aborted as soon as the upload has settled. */
  readonly signal: AbortSignal;
  readonly log: LogFields;
  /** Ends the upload at once: Leadway or storage has rejected it before the commit, or the connection is lost. */
  readonly fail: (error: AppError) => void;
}

/** Drops the bytes: only the fields and the leading bytes are needed for a signed URL. */
export const discardSink: Sink = {
  kind: 'discard',
  isSending: false,
  isFull: false,
  begin: () => undefined,
  write: () => undefined,
  end: () => undefined,
  finish: () => Promise.reject(directUnavailable()),
  destroy() {},
};
