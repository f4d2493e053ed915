import type { ClientConfig, UploaderOptions } from '../types.ts';
import { UploadError } from '../upload-error.ts';

/** How the server is called: the same settings as the uploader's. */
export type ServerOptions = Pick<UploaderOptions, 'endpoint' | 'headers' | 'credentials'>;

/** A permission to put one file into storage. */
export interface Grant {
  readonly uploadUrl: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly contentType: string;
  readonly ticket: string;
}

/** The few calls to the server that a kit's own request can't make. */
export interface ServerCalls {
  /** An absolute address of the API. */
  url(path: string): string;
  /** The caller's own headers, asked for anew. */
  headers(): Promise<Readonly<Record<string, string>>>;
  /** Whether cookies go along to an API of another origin. */
  readonly withCredentials: boolean;
  /** @throws UploadError */
  config(): Promise<ClientConfig>;
  /** Asks to put a file into storage; `form` has the fields and the head of the file. @throws UploadError */
  initiate(form: FormData): Promise<Grant>;
  /** Tells that the file is in storage. Gives its public URL. @throws UploadError */
  complete(grant: Grant): Promise<string>;
}

/** What the server says when it refuses, as far as a page needs it. */
interface Refusal {
  readonly code?: UploadError['code'];
  readonly message?: string;
  readonly retryable?: boolean;
  readonly retryAfterMs?: number;
  readonly requestId?: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** Calls the API at `endpoint`, by default `/api` of the page's own origin. */
export function createServerCalls({
  endpoint = '/api',
  headers = {},
  credentials = 'same-origin',
}: ServerOptions): ServerCalls {
  const url = (path: string): string => new URL(`${endpoint.replace(/\/$/, '')}${path}`, location.href).href;
  const ownHeaders = async () => (typeof headers === 'function' ? headers() : headers);
  const call = async (path: string, init: RequestInit = {}): Promise<unknown> => {
    const all = { ...(await ownHeaders()), ...(init.headers as Record<string, string> | undefined) };
    const answer = await fetch(url(path), { ...init, headers: all, credentials }).catch((cause) => {
      const facts = { status: 0, retryable: true, cause };
      throw new UploadError('NETWORK', 'The server could not be reached.', facts);
    });
    const text = await answer.text();
    if (!answer.ok) throw toUploadError(answer.status, text);
    return JSON.parse(text);
  };
  return {
    url,
    headers: ownHeaders,
    withCredentials: credentials === 'include',
    config: async () => (await call('/config')) as ClientConfig,
    initiate: async (form) =>
      (await call('/messages/upload/initiate', { method: 'POST', body: form })) as Grant,
    async complete({ ticket }) {
      const body = JSON.stringify({ ticket });
      const type = { 'Content-Type': 'application/json' };
      return urlOf(await call('/messages/upload/complete', { method: 'POST', headers: type, body }));
    },
  };
}

/** The URL of the one file of an answer. */
export function urlOf(answer: unknown): string {
  const [url = ''] = Object.values((answer as { uploadedFiles: Record<string, string> }).uploadedFiles);
  return url;
}

/** What the server said in `text` as an error; something general where another answered in its place. */
export function toUploadError(status: number, text: string): UploadError {
  const { code, message, ...facts } = toRefusal(text);
  return new UploadError(code ?? 'UPSTREAM_ERROR', message ?? `The server answered ${status}.`, {
    retryable: status >= 500,
    ...facts,
    status,
  });
}

function toRefusal(text: string): Refusal {
  try {
    const { code, message, retryable = false, retryAfterMs, requestId, details } = JSON.parse(text);
    if (typeof code === 'string') return { code, message, retryable, retryAfterMs, requestId, details } as Refusal;
  } catch {}
  return {};
}
