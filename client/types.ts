import type { UploadErrorCode } from './error-codes.ts';
import type { UploadError } from './upload-error.ts';

/**
 * How a file travels: through the server (`forward`), straight into storage by a signed URL (`direct`), or
 * into storage by way of the server (`relay`).
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
 * Where an upload is: in the queue or between two attempts (`waiting`), asking the server what it takes
 * (`checking`), sending bytes (`uploading`), all bytes sent and no answer yet (`confirming`), `done`.
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
 * The settings of {@link createUploader}; all of them may be left out.
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
   * Headers of every request to the server, never sent to storage. A function is asked before each request,
   * so that it can renew a token; when it fails, that is as if the request had failed.
   */
  readonly headers?:
    | Readonly<Record<string, string>>
    | (() => Readonly<Record<string, string>> | Promise<Readonly<Record<string, string>>>);
  /**
   * Whether cookies go to an API of another origin: `include`, or `same-origin` (default) for no. Browsers
   * send those of the page's own origin in any case.
   */
  readonly credentials?: 'same-origin' | 'include';
  /** Files under way at once. Default 3. */
  readonly concurrency?: number;
  /**
   * Attempts after the first one, made where the failure may pass. Where the server says when to come back
   * (429, 503) the upload waits for that, up to an hour in all, and does not count it. Default 5.
   */
  readonly retries?: number;
  /** Wait before the first retry, in ms; it doubles from one to the next, up to 30 s. Default 1000. */
  readonly retryDelayMs?: number;
  /** A request without progress and answer for this long, in ms, has failed. Default 120 000. */
  readonly idleTimeoutMs?: number;
  /** Language of error messages. By default that of the document, then that of the browser. */
  readonly language?: 'en' | 'es';
  /** Messages to use in place of the usual ones; `{limit}` and the like are filled in from the error's `details`. */
  readonly messages?: Readonly<Partial<Record<UploadErrorCode, string>>>;
  /** Hears of every request twice: when it starts, and when it has ended. */
  readonly onRequest?: (entry: RequestEntry) => void;
}

/**
 * What an upload is for, and how it is watched.
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
  /** The conversation that the file is for. Files that go direct or by relay need it. */
  readonly conversationId?: string | undefined;
  /** The contact that the file is for; enough for a forwarded file. */
  readonly contactId?: string | undefined;
  /** Needed where the server serves several locations. */
  readonly locationId?: string | undefined;
  /** `SMS`, `WHATSAPP`, `EMAIL`, …: decides how large a file may be. By default the server's default. */
  readonly channel?: string | undefined;
  /**
   * How the file travels. `auto` (default) takes the cheapest way that carries it, and another one when that
   * does not work; a way that is named is the only one tried.
   */
  readonly mode?: 'auto' | UploadMode | undefined;
  /** Ends the upload; it rejects with the signal's reason, as `fetch` does. */
  readonly signal?: AbortSignal | undefined;
  /** Hears of every change. Bytes only grow within an `attempt`. */
  readonly onProgress?: ((progress: UploadProgress) => void) | undefined;
}

/**
 * How far an upload is.
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
  /** Smoothed over some seconds; 0 until there is something to go by. */
  readonly bytesPerSecond: number;
  /** Undefined until there is something to go by. */
  readonly remainingMs: number | undefined;
  /** 1, and one more each time the file starts anew. */
  readonly attempt: number;
  /** When the next attempt starts, as `Date.now()` counts; while waiting for one. */
  readonly retryAtMs?: number | undefined;
  /** Why there is a wait; while waiting for the next attempt, or for the network (`OFFLINE`). */
  readonly waitingFor?: UploadErrorCode | undefined;
}

/**
 * A file that has arrived.
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
  /** The name that it has got, which may differ a little from the file's own. */
  readonly name: string;
  /** The public URL: what a message takes in `attachments`. */
  readonly url: string;
  readonly mode: UploadMode;
}

/**
 * How one of several uploads has ended.
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
 * What the server takes: the answer of `GET {endpoint}/config`.
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
  /** The form's field for files. */
  readonly fileField: string;
  /** Files that one request may carry; the uploader sends one in each. */
  readonly maxFiles: number;
  readonly types: readonly {
    readonly extensions: readonly string[];
    readonly mimeTypes: readonly string[];
  }[];
  readonly channels: { readonly default: string };
  readonly limits: {
    readonly forwardMaxBytes: number;
    /** By channel, and `default` for all others. */
    readonly directMaxBytes: { readonly default: number; readonly [channel: string]: number };
  };
  readonly modes: readonly ('auto' | UploadMode)[];
}

/**
 * A request as `onRequest` hears of it, first without and then with the outcome.
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
  /** The same for both calls, and for no other request. */
  readonly id: number;
  readonly method: string;
  /** Without the query of signed URLs, which is a secret. */
  readonly url: string;
  readonly target: 'server' | 'storage';
  /** The file that it is for. */
  readonly file?: File | undefined;
  /** As `Date.now()` counts. */
  readonly startedAtMs: number;
  /** Undefined while the request is under way. */
  readonly endedAtMs?: number;
  /** 0 where there was no answer, or none that the page may read. */
  readonly status?: number;
  /** How much of a file it carries: all of it, or only the head. */
  readonly bytes?: number | undefined;
  /** What went wrong. */
  readonly code?: UploadErrorCode | undefined;
}

/**
 * Uploads files; made by {@link createUploader}.
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
   * @throws UploadError; for several files the first one, after all have ended. The reason of
   *   `options.signal` when that has ended it.
   */
  upload(file: File, options: UploadOptions): Promise<UploadResult>;
  upload(files: Iterable<File>, options: UploadOptions): Promise<UploadResult[]>;
  /**
   * Uploads several files and tells of each how it ended, in their order. What `options.signal` has ended is
   * rejected with `ABORTED`.
   */
  uploadAll(files: Iterable<File>, options: UploadOptions): Promise<SettledUpload[]>;
  /**
   * What the server takes; asked for once, and again after a failure.
   *
   * @throws UploadError
   */
  config(): Promise<ClientConfig>;
  /**
   * Resolves when a file may be sent, as far as that can be told without its content; of a list, when one
   * form may carry all of them.
   *
   * @throws UploadError with the code that the server would answer.
   */
  check(file: File | Iterable<File>, options?: Pick<UploadOptions, 'channel' | 'mode'>): Promise<void>;
  /** Starts no further file; those under way go on. */
  pause(): void;
  /** Goes on after `pause()`. */
  resume(): void;
}
