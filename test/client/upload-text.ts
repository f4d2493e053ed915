import type { RequestEntry, UploaderOptions, UploadOptions, UploadProgress } from '../../client/index.ts';
import type { Setting } from './client-page.ts';

/** An upload to make in the page; everything in it can be sent there. */
export interface TextUpload {
  readonly setting: Setting;
  readonly bytes: number;
  readonly name?: string;
  readonly options?: Pick<UploaderOptions, 'retries' | 'retryDelayMs' | 'idleTimeoutMs' | 'language'>;
  readonly upload?: Partial<Pick<UploadOptions, 'mode' | 'channel' | 'conversationId'>>;
}

/** What could be seen of an upload. */
export interface Seen {
  readonly result?: { readonly name: string; readonly url: string; readonly mode: string };
  readonly error?: {
    readonly code: string;
    readonly status: number;
    readonly retryable: boolean;
    readonly message: string;
    readonly name: string;
  };
  /** `POST …/initiate 200`, one for each request that has ended. */
  readonly wire: readonly string[];
  readonly entries: readonly RequestEntry[];
  readonly phases: readonly string[];
  readonly fractions: readonly number[];
  readonly waits: readonly string[];
  readonly last: UploadProgress | undefined;
}

/** Runs in the page: uploads a text and returns what could be seen of it. */
export async function uploadText({
  setting,
  bytes,
  name = 'a.txt',
  options,
  upload,
}: TextUpload): Promise<Seen> {
  const entries: RequestEntry[] = [];
  const progress: UploadProgress[] = [];
  const { endpoint, ids } = setting;
  const uploader = window.client.createUploader({
    endpoint,
    retryDelayMs: 20,
    ...options,
    onRequest: (entry) => entry.endedAtMs !== undefined && entries.push(entry),
  });
  const onProgress = (now: UploadProgress) => progress.push(now);
  const end = await uploader
    .upload(window.textFile(name, bytes), { ...ids, ...upload, onProgress })
    .then(({ name: stored, url, mode }) => ({ result: { name: stored, url, mode } }))
    .catch(({ code, status, retryable, message, name: kind }) => ({
      error: { code, status, retryable, message, name: kind },
    }));
  const distinct = (all: readonly string[]) => all.filter((one, place) => one !== all[place - 1]);
  return {
    ...end,
    wire: entries.map(({ method, url, target, status }) => {
      const where = target === 'storage' ? 'storage' : url.slice(endpoint.length);
      return `${method} ${where} ${status}`;
    }),
    entries: entries.map(({ file, ...entry }) => entry),
    phases: distinct(progress.map(({ phase }) => phase)),
    fractions: progress.map(({ fraction }) => fraction),
    waits: distinct(progress.map(({ waitingFor }) => waitingFor ?? '')).filter((code) => code !== ''),
    last: progress.at(-1),
  };
}
