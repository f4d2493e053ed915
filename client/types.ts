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
 * The phase of an upload: in the queue or between two attempts (`waiting`), being converted by `prepare`
 * (`preparing`), reading what the server accepts (`checking`), sending bytes (`uploading`), all bytes sent and no
 * response yet (`confirming`), `done`.
 *
 * @example
 * ```ts
 * import type { UploadPhase } from 'leadway-bff-client';
 *
 * const isBusy = (phase: UploadPhase) => phase !== 'waiting' && phase !== 'done';
 * ```
 */
export type UploadPhase = 'waiting' | 'preparing' | 'checking' | 'uploading' | 'confirming' | 'done';

/**
 * A channel of the CRM. Any other name is accepted too: the channel decides how large a file may be.
 *
 * @example
 * ```ts
 * import type { Channel } from 'leadway-bff-client';
 *
 * const channel: Channel = 'WHATSAPP';
 * ```
 */
export type Channel =
  | 'SMS'
  | 'WHATSAPP'
  | 'EMAIL'
  | 'IG'
  | 'FB'
  | 'RCS'
  | 'LIVE_CHAT'
  | 'CUSTOM'
  // Suggests the names above and accepts any other.
  | (string & Record<never, never>);

/**
 * One file or several: a list of an `<input>` or of a drop event, or `null` for none.
 *
 * @example
 * ```ts
 * import type { FileInput } from 'leadway-bff-client';
 *
 * const input = document.querySelector<HTMLInputElement>('input[type=file]');
 * const chosen: FileInput = input?.files ?? null;
 * ```
 */
export type FileInput = File | Iterable<File> | ArrayLike<File> | null | undefined;

/**
 * What a {@link PrepareFile} function may use.
 *
 * @example
 * ```ts
 * import type { PrepareContext } from 'leadway-bff-client';
 *
 * const isTooLarge = (file: File, { maxBytes }: PrepareContext) => file.size > maxBytes;
 * ```
 */
export interface PrepareContext {
  /** The largest file that the channel accepts, in bytes. */
  readonly maxBytes: number;
  /** The largest picture that the channel delivers, in bytes; undefined if that is not known. */
  readonly maxPictureBytes?: number | undefined;
  /** The extensions that the server accepts, in lower case. */
  readonly extensions: readonly string[];
  /** Aborted when the upload is cancelled. */
  readonly signal: AbortSignal | undefined;
}

/**
 * Changes a file before it is checked and uploaded, such as a photo that is too large. If it throws, the original
 * file is uploaded, or rejected when the server would not accept it. `leadway-bff-client/prepare` has ready-made ones.
 *
 * @example
 * ```ts
 * import { createUploader, type PrepareFile } from 'leadway-bff-client';
 *
 * const addDate: PrepareFile = (file) =>
 *   new File([file], `${new Date().toISOString().slice(0, 10)} ${file.name}`, { type: file.type });
 * const uploader = createUploader({ prepare: addDate });
 * ```
 */
export interface PrepareFile {
  (file: File, context: PrepareContext): File | Promise<File>;
  /** Extensions that the server need not accept because this function converts them: for `accept()` and `check()`. */
  readonly converts?: readonly string[];
}

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
  /** Changes each file before it is checked and uploaded. */
  readonly prepare?: PrepareFile;
  /** Asks the user before the page is left while uploads are in flight. Default true. */
  readonly confirmLeave?: boolean;
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
  readonly channel?: Channel | undefined;
  /**
   * How the file is uploaded. `auto` (default) uses the cheapest mode that carries it, and another one when that
   * fails. A mode given by name is the only one tried.
   */
  readonly mode?: 'auto' | UploadMode | undefined;
  /**
   * Rejects a file that the channel will not deliver with `NOT_DELIVERABLE`, before its bytes are sent. Default false:
   * it is uploaded, and `delivery` says so.
   */
  readonly onlyDeliverable?: boolean | undefined;
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
  /** Bytes of the file that have been sent in this attempt. */
  readonly loadedBytes: number;
  /** The size of the file as it is sent, which `prepare` may have changed. */
  readonly totalBytes: number;
  /** From 0 to 1. */
  readonly fraction: number;
  /** Smoothed over some seconds; 0 until it has been measured. */
  readonly bytesPerSecond: number;
  /** No byte has been sent for some seconds. */
  readonly isStalled: boolean;
  /** Undefined until the speed has been measured. */
  readonly remainingMs: number | undefined;
  /** 1, and one more each time the file is sent again from its start. */
  readonly attempt: number;
  /** When the next attempt starts, in the time of `Date.now()`; set while waiting for it. */
  readonly retryAtMs?: number | undefined;
  /** Why the upload waits; set while waiting for the next attempt or for the network (`OFFLINE`). */
  readonly waitingFor?: UploadErrorCode | undefined;
  /** Says to the user why the upload waits; set together with `waitingFor`. */
  readonly waitingMessage?: string | undefined;
  /**
   * Whether the channel will deliver the file: at first as far as its name and size tell, in the end as the server says.
   * Undefined until that is known.
   */
  readonly delivery?: Delivery | undefined;
}

/**
 * Whether the channel will deliver a file, as far as the server can tell.
 *
 * @example
 * ```ts
 * import type { Delivery } from 'leadway-bff-client';
 *
 * const warnings = ({ verdict, reasons }: Delivery) =>
 *   verdict === 'ok' || verdict === 'unknown' ? [] : reasons.map(({ message }) => message);
 * ```
 */
export interface Delivery {
  /** `warning`: it may arrive in another form, or not everywhere. `unlikely`: it will not arrive. */
  readonly verdict: 'ok' | 'warning' | 'unlikely' | 'unknown';
  /** What speaks against the delivery; `message` is for the user. */
  readonly reasons: readonly { readonly code: string; readonly message: string; readonly file: string }[];
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
  /** The mode in which the file was uploaded in the end. */
  readonly mode: UploadMode;
  /** Missing where the server does not say. */
  readonly delivery?: Delivery | undefined;
}

/**
 * What was in flight when the page was left or reloaded.
 *
 * @example
 * ```ts
 * import type { RecoveredUploads } from 'leadway-bff-client';
 *
 * const ask = ({ interrupted }: RecoveredUploads) =>
 *   interrupted.map(({ name }) => `${name} was not uploaded: choose it again.`);
 * ```
 */
export interface RecoveredUploads {
  /** Files that were in storage already and are completed now. */
  readonly completed: readonly Omit<UploadResult, 'file'>[];
  /** Files that were not sent completely and have to be chosen again. */
  readonly interrupted: readonly { readonly name: string; readonly size: number }[];
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
 * const extensions = config.types.flatMap((type) => type.extensions);
 * ```
 */
export interface ClientConfig {
  /** The name of the form field for files. */
  readonly fileField: string;
  /** Files in one request at most; the uploader sends one in each. */
  readonly maxFiles: number;
  /** The accepted types of file. Extensions are in lower case and have no dot. */
  readonly types: readonly {
    readonly extensions: readonly string[];
    readonly mimeTypes: readonly string[];
  }[];
  /** `default` is the channel of an upload that names none. */
  readonly channels: { readonly default: string };
  readonly limits: {
    /** The largest file that is forwarded, in bytes. */
    readonly forwardMaxBytes: number;
    /** By channel; `default` for all others. */
    readonly directMaxBytes: { readonly default: number; readonly [channel: string]: number };
  };
  /** The modes that this server offers. */
  readonly modes: readonly ('auto' | UploadMode)[];
  /** Messages for extensions that are not accepted, with the places `{filename}`, `{extension}` and `{allowed}`. */
  readonly rejections?: {
    readonly noExtension: string;
    readonly other: string;
    readonly byExtension: Readonly<Record<string, string>>;
  };
  /** What the channels deliver; undefined from a server of version 0.1. */
  readonly delivery?:
    | {
        /** Whether the server rejects what is unlikely to be delivered. */
        readonly strict: boolean;
        /** By channel: what speaks against files by their name and size. */
        readonly warnings?: { readonly [channel: string]: readonly ChannelWarning[] };
        readonly channels: { readonly [channel: string]: ChannelRule };
      }
    | undefined;
}

/**
 * Something that speaks against the delivery of files of such a name and size.
 *
 * @example
 * ```ts
 * import type { ChannelWarning } from 'leadway-bff-client';
 *
 * const concerns = ({ aboveBytes }: ChannelWarning, { size }: File) => size > aboveBytes;
 * ```
 */
export interface ChannelWarning {
  readonly code: string;
  readonly verdict: 'warning' | 'unlikely';
  /** Of the files that it concerns; all files where it has none. */
  readonly extensions?: readonly string[];
  /** It concerns files larger than this. */
  readonly aboveBytes: number;
  /** With the places `{size}` and `{filename}`. */
  readonly message: string;
}

/**
 * What one channel delivers. A file of a kind or format that is not named is lost, or, of an uncertain kind, may arrive as a link.
 *
 * @example
 * ```ts
 * import type { ChannelRule } from 'leadway-bff-client';
 *
 * const largest = (rule: ChannelRule) => rule.kinds?.['video']?.maxBytes ?? rule.maxBytesInAll;
 * console.log(largest({ kinds: { video: { formats: ['mp4'], maxBytes: 16_777_216 } } }));
 * ```
 */
export interface ChannelRule {
  readonly maxBytesInAll?: number;
  readonly tollFreeMaxBytes?: number;
  /** By `image`, `video`, `audio` or `document`; without it, the channel takes any file. */
  readonly kinds?: {
    readonly [kind: string]: {
      readonly formats: readonly string[];
      readonly maxBytes?: number;
      readonly videoCodecs?: readonly string[];
      readonly audioCodecs?: readonly string[];
      readonly usualColours?: boolean;
    };
  };
  readonly uncertainKinds?: readonly string[];
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
  /** Where the request goes: to the upload server, or straight into storage. */
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
   * Uploads one file through the queue.
   *
   * @throws UploadError, or the reason of `options.signal` when that cancelled the upload.
   */
  upload(file: File, options: UploadOptions): Promise<UploadResult>;
  /**
   * Uploads several files through the queue and resolves to their results, in their order.
   *
   * @throws UploadError the first error, after all have ended; `uploadAll` gives the result of each.
   */
  upload(files: FileInput, options: UploadOptions): Promise<UploadResult[]>;
  /**
   * Uploads several files and resolves to the result of each, in their order. A file that `options.signal` cancelled
   * has the reason `ABORTED`.
   */
  uploadAll(files: FileInput, options: UploadOptions): Promise<SettledUpload[]>;
  /**
   * What the server accepts; requested once, and again after a failure or five minutes.
   *
   * @throws UploadError
   */
  config(): Promise<ClientConfig>;
  /**
   * Resolves to the value for the `accept` attribute of a file input. It lists MIME types beside the extensions, so
   * that phones offer the camera and iOS converts HEIC photos to JPEG.
   *
   * @throws UploadError
   */
  accept(): Promise<string>;
  /**
   * Checks a file before it is uploaded, as far as name and size tell: resolves when it would be accepted, to whether
   * the channel would deliver it.
   *
   * @throws UploadError with the code of the server.
   */
  check(file: File, options?: Pick<UploadOptions, 'channel' | 'mode'>): Promise<Delivery | undefined>;
  /**
   * Checks several files. Resolves to the error of each, or null, in their order.
   *
   * @throws UploadError only when the server can't be reached.
   */
  check(files: FileInput, options?: Pick<UploadOptions, 'channel' | 'mode'>): Promise<(UploadError | null)[]>;
  /**
   * Finishes what an earlier load of the page has left for a conversation: files in storage are completed, all
   * others are named. Call it once when the page shows the conversation; `<leadway-upload>` does.
   */
  recover(
    options: Pick<UploadOptions, 'conversationId' | 'locationId' | 'signal'>,
  ): Promise<RecoveredUploads>;
  /** Starts no further file; uploads in flight continue. */
  pause(): void;
  /** Continues after `pause()`. */
  resume(): void;
}
