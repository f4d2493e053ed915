import { sleep } from '../abortable.ts';
import { completeUpload } from '../file-upload.ts';
import { createErrorFactory } from '../messages.ts';
import { createSend, type IdempotencyKeys, isOutcomeOpen } from '../request.ts';
import type { ClientConfig, UploaderOptions } from '../types.ts';
import { UploadError } from '../upload-error.ts';

/** Options with the same meaning as the uploader's. */
export type ServerOptions = Pick<
  UploaderOptions,
  'endpoint' | 'headers' | 'credentials' | 'language' | 'messages'
>;

/** As many retries as Uppy makes. */
export const MAX_RETRIES = 3;
/** Where the server asks for a longer wait, the file fails instead. */
export const MAX_WAIT_MS = 60_000;

/** A signed URL for one file, and the ticket for it. */
export interface SignedUpload {
  readonly uploadUrl: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly contentType: string;
  readonly ticket: string;
}

/** What a kit's own request needs, and the calls that a kit can't make. */
export interface ServerCalls {
  /** The absolute URL of an endpoint. */
  url(path: string): string;
  /** Adds our headers and cookies to a request that a kit has opened. Never rejects. */
  prepareRequest(xhr: XMLHttpRequest): Promise<void>;
  /** The error of such a request. */
  toError(xhr: XMLHttpRequest): UploadError;
  /** Whether a repeat of such a request, which may or may not have stored its file, needs its key again. */
  needsKeyAgain(xhr: XMLHttpRequest): boolean;
  /** @throws UploadError */
  config(): Promise<ClientConfig>;
  /** Requests a signed URL; `form` has the fields and the leading bytes of the file. @throws UploadError */
  initiate(form: FormData, keys: IdempotencyKeys): Promise<SignedUpload>;
  /** Completes a file that is in storage, again after a lost response. Resolves to its public URL. @throws UploadError */
  complete(signedUpload: SignedUpload, keys: IdempotencyKeys): Promise<string>;
}

/** Calls the API at `endpoint`, by default `/api` of the page's own origin. */
export function createServerCalls(options: ServerOptions): ServerCalls {
  const { endpoint = '/api', headers = {}, credentials } = options;
  const errors = createErrorFactory(options);
  const send = createSend(options, errors);
  return {
    url: (path) => new URL(endpoint.replace(/\/+$/, '') + path, location.href).href,
    async prepareRequest(xhr) {
      xhr.withCredentials = credentials === 'include';
      xhr.setRequestHeader('Accept-Language', errors.language);
      try {
        setHeaders(xhr, typeof headers === 'function' ? await headers() : headers);
      } catch {
        // The server then rejects the request with a message.
      }
    },
    toError(xhr) {
      const { status } = xhr;
      const { code = 'UPSTREAM_ERROR', message, ...body } = parseErrorBody(xhr.responseText);
      return errors.toError(code, { retryable: status >= 500, ...body, status }, message);
    },
    needsKeyAgain(xhr) {
      // A captive portal responds 200 with its own page.
      if (xhr.status >= 200 && xhr.status < 300) return !xhr.responseText.startsWith('{');
      const error = parseErrorBody(xhr.responseText);
      return error.code === undefined || isOutcomeOpen(error);
    },
    config: async () => (await send({ method: 'GET', path: '/config' })) as ClientConfig,
    initiate: async (body, keys) =>
      (await send({ method: 'POST', path: '/messages/upload/initiate', body, keys })) as SignedUpload,
    async complete({ ticket }, keys) {
      for (let retries = 0; ; retries += 1) {
        try {
          return urlOf(await completeUpload(send, ticket, { keys }));
        } catch (error) {
          if (!(error instanceof UploadError && error.retryable) || retries === MAX_RETRIES) throw error;
          const { retryAfterMs = 0 } = error;
          if (retryAfterMs > MAX_WAIT_MS) throw error;
          await sleep(Math.max(retryAfterMs, 1000 * 2 ** retries), undefined);
        }
      }
    },
  };
}

/** The URL of the one file of a response. */
export function urlOf(response: unknown): string {
  const [url = ''] = Object.values((response as { uploadedFiles: Record<string, string> }).uploadedFiles);
  return url;
}

/** Sets the headers of an opened request. */
export function setHeaders(xhr: XMLHttpRequest, headers: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(headers)) xhr.setRequestHeader(name, value);
}

/** The fields of the server's error; empty when the response came from a proxy instead. */
function parseErrorBody(text: string): Partial<Omit<UploadError, 'status'>> {
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
