import { createErrorMaker } from '../messages.ts';
import { createSend } from '../request.ts';
import type { ClientConfig, UploaderOptions } from '../types.ts';
import type { UploadError } from '../upload-error.ts';

/** How the server is called: settings that mean the same as the uploader's. */
export type ServerOptions = Pick<
  UploaderOptions,
  'endpoint' | 'headers' | 'credentials' | 'language' | 'messages'
>;

/** A permission to put one file into storage. */
export interface Grant {
  readonly uploadUrl: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly contentType: string;
  readonly ticket: string;
}

/** What a kit's own request needs to know, and the calls that it can't make. */
export interface ServerCalls {
  /** An absolute address of the API. */
  url(path: string): string;
  /** Makes a request that a kit has opened one of ours: with the caller's headers and cookies. Never rejects. */
  dress(xhr: XMLHttpRequest): Promise<void>;
  /** What the server said as it refused such a request. */
  refusalOf(xhr: XMLHttpRequest): UploadError;
  /** @throws UploadError */
  config(): Promise<ClientConfig>;
  /** Asks to put a file into storage; `form` has the fields and the head of the file. @throws UploadError */
  initiate(form: FormData): Promise<Grant>;
  /** Tells that the file is in storage. Gives its public URL. @throws UploadError */
  complete(grant: Grant): Promise<string>;
}

/** Calls the API at `endpoint`, by default `/api` of the page's own origin. */
export function createServerCalls(options: ServerOptions): ServerCalls {
  const { endpoint = '/api', headers = {}, credentials } = options;
  const errors = createErrorMaker(options);
  const send = createSend(options, errors);
  return {
    url: (path) => new URL(endpoint.replace(/\/+$/, '') + path, location.href).href,
    async dress(xhr) {
      xhr.withCredentials = credentials === 'include';
      xhr.setRequestHeader('Accept-Language', errors.language);
      try {
        setHeaders(xhr, typeof headers === 'function' ? await headers() : headers);
      } catch {
        // The server tells, in words, that it misses them.
      }
    },
    refusalOf(xhr) {
      const { status } = xhr;
      const { code = 'UPSTREAM_ERROR', message, ...told } = toRefusal(xhr.responseText);
      return errors.toError(code, { retryable: status >= 500, ...told, status }, message);
    },
    config: async () => (await send({ method: 'GET', path: '/config' })) as ClientConfig,
    initiate: async (body) =>
      (await send({ method: 'POST', path: '/messages/upload/initiate', body })) as Grant,
    async complete({ ticket }) {
      const call = { method: 'POST', path: '/messages/upload/complete', body: JSON.stringify({ ticket }) };
      return urlOf(await send({ ...call, headers: { 'Content-Type': 'application/json' } }));
    },
  };
}

/** The URL of the one file of an answer. */
export function urlOf(answer: unknown): string {
  const [url = ''] = Object.values((answer as { uploadedFiles: Record<string, string> }).uploadedFiles);
  return url;
}

/** Sets the headers of a request that is open. */
export function setHeaders(xhr: XMLHttpRequest, headers: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(headers)) xhr.setRequestHeader(name, value);
}

/** The server's error, or nothing where something before the server has answered in its place. */
function toRefusal(text: string): Partial<Omit<UploadError, 'status'>> {
  try {
    const { code, message, retryable, retryAfterMs, requestId, details } = JSON.parse(text);
    if (typeof code === 'string' && typeof message === 'string') {
      return {
        code: code as UploadError['code'],
        message,
        retryable: retryable === true,
        retryAfterMs,
        requestId,
        details,
      };
    }
  } catch {}
  return {};
}
