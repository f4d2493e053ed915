import { abortable, orAbort } from './abortable.ts';
import type { UploadErrorCode } from './error-codes.ts';
import type { ErrorMaker } from './messages.ts';
import type { RequestEntry, UploaderOptions } from './types.ts';
import { UploadError } from './upload-error.ts';

/** One request. */
export interface Call {
  readonly method: string;
  /** Below the endpoint; the full address where the target is storage. */
  readonly path: string;
  readonly target?: RequestEntry['target'];
  /** Headers of this request alone. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: FormData | Blob | string;
  /** What the request is for, and how much of it is sent. */
  readonly file?: File;
  readonly bytes?: number;
  readonly signal?: AbortSignal | undefined;
  /** Hears of the fraction of the body that has been sent. */
  readonly onSent?: ((fraction: number) => void) | undefined;
}

/** Sends a call, `isAgain` with fresh headers, and gives the JSON of the answer. @throws UploadError */
export type Send = (call: Call, isAgain?: boolean) => Promise<unknown>;

/** What an answer means that is not the server's own, but of a proxy before it. */
const CODE_OF_STATUS: Readonly<Record<number, UploadErrorCode>> = {
  401: 'UNAUTHENTICATED',
  404: 'NOT_FOUND',
  413: 'BODY_TOO_LARGE',
  429: 'RATE_LIMITED',
  503: 'BUSY',
};

let lastId = 0;

/**
 * Makes the function that sends requests. By XMLHttpRequest, since `fetch` tells nothing of how much of a
 * body has been sent.
 */
export function createSend(options: UploaderOptions, errors: ErrorMaker): Send {
  const { toError } = errors;
  const { endpoint = '/api', headers: given, credentials, idleTimeoutMs = 120_000, onRequest } = options;
  const base = endpoint.replace(/\/+$/, '');

  /** Headers of the uploader's user: asked each time, so that a token can be fresh. */
  async function ownHeaders(signal: AbortSignal | undefined): Promise<Readonly<Record<string, string>>> {
    if (typeof given !== 'function') return { ...given };
    try {
      return await orAbort(Promise.resolve(given()), signal);
    } catch (error) {
      signal?.throwIfAborted();
      throw toError('NETWORK', { retryable: true, cause: error });
    }
  }

  return async function send(call, isAgain) {
    const { method, path, target = 'server', headers, body, file, bytes, signal, onSent } = call;
    const isOurs = target === 'server';
    const url = isOurs ? base + path : path;
    const all = isOurs
      ? { 'Accept-Language': errors.language, ...(await ownHeaders(signal)), ...headers }
      : headers;
    const started = {
      id: ++lastId,
      method,
      url: isOurs ? url : url.replace(/\?.*/, ''),
      target,
      file,
      bytes,
      startedAtMs: Date.now(),
    };
    const end = (status: number, code?: UploadErrorCode) =>
      onRequest?.({ ...started, endedAtMs: Date.now(), status, code });

    onRequest?.(started);
    try {
      const [status, answer] = await abortable<[number, unknown]>(signal, (resolve, reject) => {
        const xhr = new XMLHttpRequest();
        let timer: ReturnType<typeof setTimeout> | undefined;
        const lost = () => reject(toError('NETWORK', { retryable: true }));
        const isAlive = () => {
          clearTimeout(timer);
          timer = setTimeout(lost, idleTimeoutMs);
        };
        if (onSent) {
          xhr.upload.onprogress = ({ loaded, total }) => {
            isAlive();
            onSent(loaded / total);
          };
          xhr.upload.onload = () => onSent(1);
        }
        xhr.onprogress = isAlive;
        xhr.onerror = lost;
        xhr.onload = () => {
          const json = parse(xhr.responseText);
          const { status } = xhr;
          const isSuccess = status >= 200 && status < 300;
          // A network that wants a sign-in first answers 200 with a page of its own.
          if (isSuccess && (json || !isOurs)) resolve([status, json]);
          else reject(refusal(xhr, json));
        };
        xhr.open(method, url);
        xhr.withCredentials = isOurs && credentials === 'include';
        for (const [name, value] of Object.entries(all ?? {})) xhr.setRequestHeader(name, value);
        isAlive();
        xhr.send(body ?? null);
        onSent?.(0);
        return () => {
          clearTimeout(timer);
          xhr.abort();
        };
      });
      end(status);
      return answer;
    } catch (error) {
      const isOurError = error instanceof UploadError;
      const code = isOurError ? error.code : 'ABORTED';
      end(isOurError ? error.status : 0, code);
      // A token may have ended between asking for it and its use.
      if (code === 'UNAUTHENTICATED' && typeof given === 'function' && !isAgain) return send(call, true);
      throw error;
    }
  };

  function refusal(xhr: XMLHttpRequest, json: unknown): UploadError {
    const { status } = xhr;
    const told = (json ?? {}) as Partial<UploadError>;
    if (told.code && told.message) {
      const { code, message, retryable, retryAfterMs, requestId, details } = told;
      const facts = { status, retryable: retryable === true, retryAfterMs, requestId, details };
      return toError(code, facts, message);
    }
    const seconds = Number(xhr.getResponseHeader('Retry-After'));
    return toError(CODE_OF_STATUS[status] ?? 'UPSTREAM_ERROR', {
      status,
      retryable: status < 400 || status === 408 || status === 429 || status >= 500,
      ...(seconds > 0 && { retryAfterMs: seconds * 1000 }),
    });
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
