import type { UploadErrorCode } from './error-codes.ts';
import type { UploadError } from './upload-error.ts';

/**
 * How a file is uploaded: through the server (`forward`), straight into storage by a signed URL (`direct`), or
 * into storage through the server (`relay`).
 *
 * @example
 * ```ts
 * import type { UploadMode } from 'leadway-bff-client';
 *
 * const labels: Record<UploadMode, string> = { forward: 'via server', direct: 'to storage', relay: 'relayed' };
 * ```
 */
export type UploadMode = 'forward' | 'direct' | 'relay';

/**
 * The phase of an upload: in the queue or between two attempts (`waiting`), reading what the server accepts
 * (`checking`), sending bytes (`uploading`), all bytes sent and no response yet (`confirming`), `done`.
 *
 * @example
 * ```ts
 * import type { UploadPhase } from 'leadway-bff-client';
 *
 * const isBusy = (phase: UploadPhase) => phase !== 'waiting' && phase !== 'done';
 * ```
 */
export type UploadPhase = 'waiting' | 'checking' | 'uploading' | 'confirming' | 'done';

/**
 * The options of {@link createUploader}; all are optional.
 *
 * @example
 * ```ts
 * import { createUploader, type UploaderOptions } from 'leadway-bff-client';
 *
 * const options: UploaderOptions = {
 *   endpoint: 'https://uploads.example.com/api',
 *   headers: async () => ({ Authorization: `Bearer ${await freshToken()}` }),
 *   concurrency: 2,
 * };
 * const uploader = createUploader(options);
 *
 * async function freshToken(): Promise<string> {
 *   return (await fetch('/token')).text();
 * }
 * ```
 */
export interface UploaderOptions {
  /** Base path or absolute URL of the server's API. Default `/api`. */
  readonly endpoint?: string;
  /**
   * Headers of every request to the server, never sent to storage. A function is called before each request, so
   * that it can renew a token; when it fails, the request fails.
   */
  readonly headers?:
    | Readonly<Record<string, string>>
    | (() => Readonly<Record<string, string>> | Promise<Readonly<Record<string, string>>>);
  /**
   * `include` sends cookies to an API of another origin. The default, `same-origin`, sends them only to the page's
   * own origin.
   */
  readonly credentials?: 'same-origin' | 'include';
  /** Files in flight at once. Default 3. */
  readonly concurrency?: number;
  /**
   * Attempts after the first one, for failures that may pass. A 429 or 503 with `Retry-After` does not count: the
   * upload waits as long as the server says, up to an hour in all. Default 5.
   */
  readonly retries?: number;
  /** Wait before the first retry, in ms; it doubles each time, up to 30 s. Default 1000. */
  readonly retryDelayMs?: number;
  /** A request fails after this time without progress or response, in ms. Default 120 000. */
  readonly idleTimeoutMs?: number;
  /** Language of error messages. Default: the document's, else the browser's. */
  readonly language?: 'en' | 'es';
  /** Your own messages by code; `{limit}` and the like are filled in from the error's `details`. */
  readonly messages?: Readonly<Partial<Record<UploadErrorCode, string>>>;
  /** Called twice for every request: when it starts and when it has ended. */
  readonly onRequest?: (entry: RequestEntry) => void;
}

/**
 * The options of an upload.
 *
 * @example
 * ```ts
 * import { createUploader, type UploadOptions } from 'leadway-bff-client';
 *
 * const uploader = createUploader();
 * const cancel = new AbortController();
 * const options: UploadOptions = {
 *   conversationId: 'sandboxConversation01',
 *   contactId: 'sandboxContact01',
 *   channel: 'WHATSAPP',
 *   signal: cancel.signal,
 *   onProgress: ({ phase, fraction }) => console.log(phase, Math.round(fraction * 100)),
 * };
 * await uploader.upload(new File(['Hello'], 'hello.txt'), options);
 * ```
 */
export interface UploadOptions {
  /** The conversation that the file is for. The modes `direct` and `relay` need it. */
  readonly conversationId?: string | undefined;
  /** The contact that the file is for; enough for a forwarded file. */
  readonly contactId?: string | undefined;
  /** Required when the server serves several locations. */
  readonly locationId?: string | undefined;
  /** `SMS`, `WHATSAPP`, `EMAIL`, …: decides how large a file may be. Default: the server's. */
  readonly channel?: string | undefined;
  /**
   * How the file is uploaded. `auto` (default) uses the cheapest mode that carries it, and another one when that
   * fails. A mode given by name is the only one tried.
   */
  readonly mode?: 'auto' | UploadMode | undefined;
  /** Cancels the upload, which rejects with the signal's reason, as `fetch` does. */
  readonly signal?: AbortSignal | undefined;
  /** Called on every change. `loadedBytes` never shrinks within an `attempt`. */
  readonly onProgress?: ((progress: UploadProgress) => void) | undefined;
}

/**
 * The progress of an upload.
 *
 * @example
 * ```ts
 * import type { UploadProgress } from 'leadway-bff-client';
 *
 * function describe({ phase, fraction, remainingMs, retryAtMs }: UploadProgress): string {
 *   if (retryAtMs !== undefined) return `again in ${Math.ceil((retryAtMs - Date.now()) / 1000)} s`;
 *   if (remainingMs === undefined) return phase;
 *   return `${Math.round(fraction * 100)} %, ${Math.ceil(remainingMs / 1000)} s left`;
 * }
 * ```
 */
export interface UploadProgress {
  readonly file: File;
  readonly phase: UploadPhase;
  /** Undefined until it is chosen. */
  readonly mode: UploadMode | undefined;
  readonly loadedBytes: number;
  readonly totalBytes: number;
  /** From 0 to 1. */
  readonly fraction: number;
  /** Smoothed over some seconds; 0 until it has been measured. */
  readonly bytesPerSecond: number;
  /** Undefined until the speed has been measured. */
  readonly remainingMs: number | undefined;
  /** 1, and one more each time the file is sent again from its start. */
  readonly attempt: number;
  /** When the next attempt starts, in the time of `Date.now()`; set while waiting for it. */
  readonly retryAtMs?: number | undefined;
  /** Why the upload waits; set while waiting for the next attempt or for the network (`OFFLINE`). */
  readonly waitingFor?: UploadErrorCode | undefined;
}

/**
 * An uploaded file.
 *
 * @example
 * ```ts
 * import { createUploader, type UploadResult } from 'leadway-bff-client';
 *
 * const uploader = createUploader();
 * const file = new File(['Hello'], 'hello.txt');
 * const ids = { conversationId: 'sandboxConversation01', contactId: 'sandboxContact01' };
 * const result: UploadResult = await uploader.upload(file, ids);
 * console.log(result.name, result.url);
 * ```
 */
export interface UploadResult {
  readonly file: File;
  /** The stored name, which may differ slightly from the file's own. */
  readonly name: string;
  /** The public URL, for `attachments` of a message. */
  readonly url: string;
  readonly mode: UploadMode;
}

/**
 * The result of one of several uploads.
 *
 * @example
 * ```ts
 * import type { SettledUpload } from 'leadway-bff-client';
 *
 * const urls = (all: readonly SettledUpload[]) =>
 *   all.flatMap((upload) => (upload.status === 'fulfilled' ? [upload.value.url] : []));
 * ```
 */
export type SettledUpload =
  | { readonly status: 'fulfilled'; readonly value: UploadResult }
  | { readonly status: 'rejected'; readonly file: File; readonly reason: UploadError };

/**
 * What the server accepts: the response of `GET {endpoint}/config`.
 *
 * @example
 * ```ts
 * import { createUploader, type ClientConfig } from 'leadway-bff-client';
 *
 * const config: ClientConfig = await createUploader().config();
 * const accept = config.types.flatMap(({ extensions }) => extensions.map((name) => `.${name}`)).join();
 * ```
 */
export interface ClientConfig {
  /** The name of the form field for files. */
  readonly fileField: string;
  /** Files in one request at most; the uploader sends one in each. */
  readonly maxFiles: number;
  readonly types: readonly {
    readonly extensions: readonly string[];
    readonly mimeTypes: readonly string[];
  }[];
  readonly channels: { readonly default: string };
  readonly limits: {
    readonly forwardMaxBytes: number;
    /** By channel; `default` for all others. */
    readonly directMaxBytes: { readonly default: number; readonly [channel: string]: number };
  };
  readonly modes: readonly ('auto' | UploadMode)[];
}

/**
 * A request as reported to `onRequest`, first without and then with its result.
 *
 * @example
 * ```ts
 * import { createUploader, type RequestEntry } from 'leadway-bff-client';
 *
 * const log = ({ method, url, status, code }: RequestEntry) => console.log(method, url, status, code);
 * const uploader = createUploader({ onRequest: log });
 * ```
 */
export interface RequestEntry {
  /** The same in both calls, and unique to the request. */
  readonly id: number;
  readonly method: string;
  /** Signed URLs come without their query, which is a secret. */
  readonly url: string;
  readonly target: 'server' | 'storage';
  /** The file that the request is for. */
  readonly file?: File | undefined;
  /** In the time of `Date.now()`. */
  readonly startedAtMs: number;
  /** Undefined while the request is in flight. */
  readonly endedAtMs?: number;
  /** 0 when there was no response, or none that the page may read. */
  readonly status?: number;
  /** How many bytes of the file it carries: all, or only the leading bytes. */
  readonly bytes?: number | undefined;
  /** The error, if any. */
  readonly code?: UploadErrorCode | undefined;
}

/**
 * Uploads files; created by {@link createUploader}.
 *
 * @example
 * ```ts
 * import { createUploader, type Uploader } from 'leadway-bff-client';
 *
 * const uploader: Uploader = createUploader();
 * ```
 */
export interface Uploader {
  /**
   * Uploads one file, or several through the queue.
   *
   * @throws UploadError; for several files the first error, after all have ended. The reason of `options.signal`
   *   when that cancelled it.
   */
  upload(file: File, options: UploadOptions): Promise<UploadResult>;
  upload(files: Iterable<File>, options: UploadOptions): Promise<UploadResult[]>;
  /**
   * Uploads several files and resolves to the result of each, in their order. A file that `options.signal` cancelled
   * has the reason `ABORTED`.
   */
  uploadAll(files: Iterable<File>, options: UploadOptions): Promise<SettledUpload[]>;
  /**
   * What the server accepts; requested once, and again after a failure or five minutes.
   *
   * @throws UploadError
   */
  config(): Promise<ClientConfig>;
  /**
   * Resolves when the file would be accepted, as far as name and size tell; for a list, when one form may carry
   * all of them.
   *
   * @throws UploadError with the code of the server.
   */
  check(file: File | Iterable<File>, options?: Pick<UploadOptions, 'channel' | 'mode'>): Promise<void>;
  /** Starts no further file; uploads in flight continue. */
  pause(): void;
  /** Continues after `pause()`. */
  resume(): void;
}
