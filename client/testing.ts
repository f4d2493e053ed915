import { type ErrorDetails, LOCAL_ERROR_CODES, type UploadErrorCode } from './error-codes.ts';
import { initialProgress } from './progress.ts';
import type {
  ClientConfig,
  FileInput,
  SettledUpload,
  Uploader,
  UploadOptions,
  UploadResult,
} from './types.ts';
import { UploadError } from './upload-error.ts';

/**
 * What becomes of a file in a {@link createFakeUploader}: it is uploaded to `url`, or fails with `code`. A promise
 * keeps it uploading until the test resolves it.
 *
 * @example
 * ```ts
 * import type { FakeOutcome } from 'leadway-bff-client/testing';
 *
 * const tooLarge: FakeOutcome = { code: 'FILE_TOO_LARGE', message: 'The file is larger than 5 MB.' };
 * ```
 */
export type FakeOutcome =
  | { readonly url?: string; readonly code?: undefined }
  | {
      readonly code: UploadErrorCode;
      readonly message?: string;
      readonly retryable?: boolean;
      readonly details?: ErrorDetails[keyof ErrorDetails];
    };

/**
 * An uploader without a server, and what was uploaded with it.
 *
 * @example
 * ```ts
 * import { createFakeUploader, type FakeUploader } from 'leadway-bff-client/testing';
 *
 * const uploader: FakeUploader = createFakeUploader();
 * ```
 */
export interface FakeUploader extends Uploader {
  /** Every upload so far, with its options. */
  readonly uploads: readonly { readonly file: File; readonly options: UploadOptions }[];
}

/** What a {@link createFakeUploader} says that it accepts. */
const CONFIG: ClientConfig = {
  fileField: 'fileAttachment',
  maxFiles: 5,
  types: [
    { extensions: ['jpg', 'jpeg'], mimeTypes: ['image/jpeg'] },
    { extensions: ['png'], mimeTypes: ['image/png'] },
    { extensions: ['pdf'], mimeTypes: ['application/pdf'] },
    { extensions: ['txt'], mimeTypes: ['text/plain'] },
  ],
  channels: { default: 'SMS' },
  limits: { forwardMaxBytes: 5_242_880, directMaxBytes: { default: 5_242_880, WHATSAPP: 104_857_600 } },
  modes: ['auto', 'forward', 'direct', 'relay'],
};

/**
 * Creates an uploader for tests of components: no network, no timers, every phase is reported.
 *
 * @param script The outcome of each file, by its name or by a function. Default: every file is uploaded.
 * @example
 * ```ts
 * import { createUploadStore } from 'leadway-bff-client/store';
 * import { createFakeUploader } from 'leadway-bff-client/testing';
 *
 * const uploader = createFakeUploader({ 'setup.exe': { code: 'TYPE_NOT_ALLOWED' } });
 * const store = createUploadStore(uploader);
 * store.add([new File(['a'], 'a.txt'), new File(['MZ'], 'setup.exe')], { conversationId: 'c1' });
 * ```
 */
export function createFakeUploader(
  script:
    | Readonly<Record<string, FakeOutcome | Promise<FakeOutcome>>>
    | ((file: File) => FakeOutcome | Promise<FakeOutcome>) = {},
): FakeUploader {
  const uploads: { file: File; options: UploadOptions }[] = [];
  const outcomeOf = (file: File) => (typeof script === 'function' ? script(file) : (script[file.name] ?? {}));
  const toFiles = (files: FileInput): File[] => (files instanceof File ? [files] : Array.from(files ?? []));

  async function uploadOne(file: File, options: UploadOptions): Promise<UploadResult> {
    const { signal, onProgress } = options;
    signal?.throwIfAborted();
    uploads.push({ file, options });
    const mode = options.mode === 'direct' || options.mode === 'relay' ? options.mode : 'forward';
    const start = initialProgress(file);
    const report = (phase: 'waiting' | 'checking' | 'uploading' | 'confirming' | 'done', fraction: number) =>
      onProgress?.({ ...start, mode, phase, fraction, loadedBytes: Math.round(file.size * fraction) });
    report('waiting', 0);
    await undefined;
    report('checking', 0);
    report('uploading', 0.5);
    const outcome = await new Promise<FakeOutcome>((resolve, reject) => {
      signal?.addEventListener('abort', () => reject(signal.reason));
      Promise.resolve(outcomeOf(file)).then(resolve, reject);
    });
    signal?.throwIfAborted();
    if (outcome.code) {
      const { code, message = code, retryable = false, details } = outcome;
      const isLocal = (LOCAL_ERROR_CODES as readonly string[]).includes(code);
      throw new UploadError(code, message, {
        status: isLocal ? 0 : 400,
        retryable,
        ...(details && { details }),
      });
    }
    report('confirming', 1);
    report('done', 1);
    const url = outcome.url ?? `https://files.example/${encodeURIComponent(file.name)}`;
    return { file, name: file.name, url, mode };
  }

  async function uploadAll(files: FileInput, options: UploadOptions): Promise<SettledUpload[]> {
    const settled = await Promise.allSettled(toFiles(files).map((file) => uploadOne(file, options)));
    return settled.map((end, index) =>
      end.status === 'fulfilled' ? end : { ...end, file: toFiles(files)[index] as File },
    );
  }

  return {
    uploads,
    upload: (async (files: FileInput, options: UploadOptions) =>
      files instanceof File
        ? uploadOne(files, options)
        : Promise.all(toFiles(files).map((file) => uploadOne(file, options)))) as Uploader['upload'],
    uploadAll,
    config: async () => CONFIG,
    accept: async () => CONFIG.types.flatMap((type) => type.extensions.map((name) => `.${name}`)).join(),
    check: (async (files: FileInput) =>
      files instanceof File ? undefined : toFiles(files).map(() => null)) as Uploader['check'],
    recover: async () => ({ completed: [], interrupted: [] }),
    pause() {},
    resume() {},
  };
}

/**
 * The parts of Mock Service Worker that {@link uploadHandlers} uses: pass the module itself.
 *
 * @example
 * ```ts
 * import { uploadHandlers, type MswLike } from 'leadway-bff-client/testing';
 *
 * const toHandlers = (msw: MswLike) => uploadHandlers(msw);
 * ```
 */
export interface MswLike {
  readonly http: {
    readonly [method in 'get' | 'post' | 'put' | 'options']: (
      path: string,
      // biome-ignore lint/suspicious/noExplicitAny: resolvers of msw return its own StrictResponse
      resolver: (info: { readonly request: Request }) => any,
      // biome-ignore lint/suspicious/noExplicitAny: a RequestHandler of msw
    ) => any;
  };
}

/**
 * Handlers for Mock Service Worker: every endpoint of the upload server, and its errors by code.
 *
 * @param options `endpoint` as for the uploader (default `*` + `/api`); `fail` has the error of an endpoint.
 * @example
 * ```ts
 * import { uploadHandlers, type MswLike } from 'leadway-bff-client/testing';
 *
 * // import { http } from 'msw'; setupServer(...uploadHandlers({ http }, { fail: { upload: 'FILE_TOO_LARGE' } }));
 * const failing = (msw: MswLike) => uploadHandlers(msw, { fail: { upload: 'FILE_TOO_LARGE' } });
 * ```
 */
export function uploadHandlers<M extends MswLike>(
  { http }: M,
  {
    endpoint = '*/api',
    fail = {},
  }: {
    readonly endpoint?: string;
    readonly fail?: Readonly<
      Partial<Record<'config' | 'upload' | 'initiate' | 'content' | 'complete', UploadErrorCode>>
    >;
  } = {},
): ReturnType<M['http']['get']>[] {
  const storage = 'https://storage.example/upload';
  // Storage is another origin than that of the page, and jsdom sends a preflight.
  const cors = { 'Access-Control-Allow-Origin': '*', 'Access-Control-Allow-Headers': '*' };
  const names = new Map<string, string>();
  let tickets = 0;

  const error = (code: UploadErrorCode) => {
    const status = STATUS_OF[code] ?? 400;
    const body = { status, code, message: `Test of ${code}`, requestId: 'test', retryable: status >= 500 };
    return Response.json(body, { status });
  };
  const respond =
    (name: keyof typeof fail, toResponse: (request: Request) => Promise<Response> | Response) =>
    ({ request }: { readonly request: Request }) => {
      const code = fail[name];
      return code ? error(code) : toResponse(request);
    };
  const uploaded = (name: string) => ({ [name]: `https://files.example/${encodeURIComponent(name)}` });
  const fileName = async (request: Request): Promise<string> => {
    const body = await request.text();
    if (!request.headers.get('Content-Type')?.startsWith('multipart/')) {
      return (JSON.parse(body) as { filename: string }).filename;
    }
    // Not by formData(): Node's throws where jsdom or happy-dom have replaced File.
    return /filename="([^"]*)"/.exec(body)?.[1] ?? 'file';
  };
  const path = `${endpoint}/messages/upload`;
  return [
    http.get(
      `${endpoint}/config`,
      respond('config', () => Response.json(CONFIG)),
    ),
    http.post(
      path,
      respond('upload', async (request) =>
        Response.json({ mode: 'forward', uploadedFiles: uploaded(await fileName(request)) }),
      ),
    ),
    http.post(
      `${path}/initiate`,
      respond('initiate', async (request) => {
        const ticket = `ticket-${++tickets}`;
        const filename = await fileName(request);
        names.set(ticket, filename);
        const expiresAt = Date.now() + 900_000;
        const headers = { 'Content-Type': 'application/octet-stream' };
        return Response.json({ uploadUrl: storage, method: 'PUT', headers, expiresAt, ticket, filename });
      }),
    ),
    http.options(storage, () => {
      const headers = { ...cors, 'Access-Control-Allow-Methods': 'PUT' };
      return new Response(null, { status: 204, headers });
    }),
    http.put(
      storage,
      respond('content', () => new Response(null, { status: 200, headers: cors })),
    ),
    http.put(
      `${path}/content`,
      respond('content', () => new Response(null, { status: 204 })),
    ),
    http.post(
      `${path}/complete`,
      respond('complete', async (request) => {
        const { ticket } = (await request.json()) as { ticket: string };
        return Response.json({ uploadedFiles: uploaded(names.get(ticket) ?? 'file') });
      }),
    ),
  ];
}

/** The status of the codes that tests need most; all others are 400. */
const STATUS_OF: Partial<Record<UploadErrorCode, number>> = {
  UNAUTHENTICATED: 401,
  ORIGIN_NOT_ALLOWED: 403,
  LOCATION_NOT_ALLOWED: 403,
  TICKET_INVALID: 403,
  NOT_UPLOADED: 404,
  REQUEST_TIMEOUT: 408,
  IDEMPOTENCY_UNKNOWN: 409,
  TICKET_EXPIRED: 410,
  FILE_TOO_LARGE: 413,
  TYPE_NOT_ALLOWED: 415,
  TYPE_MISMATCH: 415,
  NOT_DELIVERABLE: 422,
  UPLOAD_REJECTED: 422,
  IDEMPOTENCY_MISMATCH: 422,
  RATE_LIMITED: 429,
  TOO_MANY_UPLOADS: 429,
  INTERNAL: 500,
  DIRECT_UNAVAILABLE: 502,
  UPSTREAM_ERROR: 502,
  UPSTREAM_UNREACHABLE: 502,
  UPSTREAM_AUTH: 502,
  STORAGE_REFUSED: 502,
  BUSY: 503,
  DRAINING: 503,
  UPSTREAM_TIMEOUT: 504,
};

/**
 * A real upload server with the sandbox in place of Leadway.
 *
 * @example
 * ```ts
 * import { startSandboxServer, type SandboxServer } from 'leadway-bff-client/testing';
 *
 * const server: SandboxServer = await startSandboxServer();
 * await server.close();
 * ```
 */
export interface SandboxServer {
  /** For `createUploader`: the absolute URL of the API. */
  readonly endpoint: string;
  readonly conversationId: string;
  readonly contactId: string;
  close(): Promise<void>;
}

/**
 * Starts the upload server on a free port for end-to-end tests, in Node 24.5 or newer with the package `leadway-bff`
 * installed. Pages of `origins` may call it.
 *
 * @example
 * ```ts
 * import { startSandboxServer } from 'leadway-bff-client/testing';
 *
 * const { endpoint, conversationId, close } = await startSandboxServer({ origins: ['http://localhost:5173'] });
 * console.log(endpoint, conversationId);
 * await close();
 * ```
 */
export async function startSandboxServer({
  origins = [],
}: {
  readonly origins?: readonly string[];
} = {}): Promise<SandboxServer> {
  // A computed name keeps bundlers from looking for the server in tests of components.
  const name = ['leadway', 'bff'].join('-');
  const { createServer, settingsFromEnv } = await import(name);
  const env = { SANDBOX: 'on', HOST: '127.0.0.1', PORT: '0', LOG_LEVEL: 'silent' };
  const settings = settingsFromEnv({ ...env, ...(origins.length && { ALLOWED_ORIGINS: origins.join() }) });
  const server = createServer({ settings });
  const { url } = await server.listen();
  return {
    endpoint: `${url.replace(/\/$/, '')}/api`,
    conversationId: 'sandboxConversation01',
    contactId: 'sandboxContact01',
    close: () => server.close({ graceMs: 0 }),
  };
}
