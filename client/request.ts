import { abortable, orAbort } from './abortable.ts';
import type { UploadErrorCode } from './error-codes.ts';
import type { ErrorFactory } from './messages.ts';
import { explainMissingServer, type ForeignResponse } from './missing-server.ts';
import type { RequestEntry, UploaderOptions } from './types.ts';
import { UploadError } from './upload-error.ts';

/** One request. */
export interface RequestOptions {
  readonly method: string;
  /** Below the endpoint; for storage the full URL. */
  readonly path: string;
  readonly target?: RequestEntry['target'];
  /** Headers of this request, beside the uploader's own. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: FormData | Blob | string;
  /** The file that the request is for, and how many of its bytes it carries. */
  readonly file?: File;
  readonly bytes?: number;
  /** Has the server carry the request out at most once, by an `Idempotency-Key` from here. */
  readonly keys?: IdempotencyKeys;
  readonly signal?: AbortSignal | undefined;
  /** Called with the fraction of the body that has been sent. */
  readonly onSent?: ((fraction: number) => void) | undefined;
}

/** The keys of requests whose outcome is not known; a repeat of such a request brings its key again. */
export type IdempotencyKeys = Record<string, string>;

/** The key of a request with this content, which is repeated while the request's outcome is not known. */
export function keyFor(keys: IdempotencyKeys, content: string): string {
  // `randomUUID` exists on https only.
  keys[content] ??= crypto.getRandomValues(new Uint32Array(4)).join('-');
  return keys[content];
}

/** Whether an error of the server leaves open whether Leadway has a file. */
export function isOutcomeOpen({ code, retryable }: Partial<UploadError>): boolean {
  return !!retryable && ['UPSTREAM_ABORTED', 'UPSTREAM_TIMEOUT'].includes(code ?? '');
}

/** Sends a request and resolves to the JSON of the response; `isRepeated` with fresh headers. @throws UploadError */
export type Send = (request: RequestOptions, isRepeated?: boolean) => Promise<unknown>;

/** Codes for error responses of a proxy, which carry none. */
const CODE_OF_STATUS: Readonly<Record<number, UploadErrorCode>> = {
  401: 'UNAUTHENTICATED',
  404: 'NOT_FOUND',
  413: 'BODY_TOO_LARGE',
  429: 'RATE_LIMITED',
  503: 'BUSY',
};

/** The endpoints that the page has had a response from: from then on a failure is a failure of the network. */
const knownEndpoints = new Set<string>();
let lastId = 0;

/** Creates the function that sends requests. It uses XMLHttpRequest because `fetch` reports no upload progress. */
export function createSend(options: UploaderOptions, errors: ErrorFactory): Send {
  const { toError } = errors;
  const { endpoint = '/api', headers: custom, credentials, idleTimeoutMs = 120_000, onRequest } = options;
  const base = endpoint.replace(/\/+$/, '');

  async function customHeaders(signal: AbortSignal | undefined): Promise<Readonly<Record<string, string>>> {
    if (typeof custom !== 'function') return { ...custom };
    try {
      return await orAbort(Promise.resolve(custom()), signal);
    } catch (error) {
      signal?.throwIfAborted();
      throw toError('NETWORK', { retryable: true, cause: error });
    }
  }

  return async function send(request, isRepeated) {
    const { method, path, target = 'server', headers, body, file, bytes, keys, signal, onSent } = request;
    const isServer = target === 'server';
    const url = isServer ? base + path : path;
    const allHeaders: Record<string, string> = isServer
      ? { 'Accept-Language': errors.language, ...(await customHeaders(signal)), ...headers }
      : { ...headers };
    // The entries of a form, the characters of a ticket.
    const content = keys && path + bytes + [...(body as FormData | string)];
    if (content) allHeaders['Idempotency-Key'] = keyFor(keys, content);
    const started = {
      id: ++lastId,
      method,
      url: isServer ? url : url.replace(/\?.*/, ''),
      target,
      file,
      bytes,
      startedAtMs: Date.now(),
    };
    const reportEnd = (status: number, code?: UploadErrorCode) =>
      onRequest?.({ ...started, endedAtMs: Date.now(), status, code });

    onRequest?.(started);
    let foreign: ForeignResponse | undefined;
    try {
      const [status, response] = await abortable<[number, unknown]>(signal, (resolve, reject) => {
        const xhr = new XMLHttpRequest();
        let timer: ReturnType<typeof setTimeout> | undefined;
        const fail = () => {
          foreign = { status: 0, responseURL: '' };
          reject(toError('NETWORK', { retryable: true }));
        };
        const restartTimer = () => {
          clearTimeout(timer);
          timer = setTimeout(fail, idleTimeoutMs);
        };
        if (onSent) {
          xhr.upload.onprogress = ({ loaded, total }) => {
            restartTimer();
            onSent(loaded / total);
          };
          xhr.upload.onload = () => onSent(1);
        }
        xhr.onprogress = restartTimer;
        xhr.onerror = fail;
        xhr.onload = () => {
          const json = parseJson(xhr.responseText);
          const { status } = xhr;
          const isSuccess = status >= 200 && status < 300;
          const isOurs = isSuccess ? isOwnResponse(path, json) : isOwnError(json);
          if (isOurs) {
            if (isServer) knownEndpoints.add(base);
            // Repeating `complete` stores nothing twice.
            if (content && !(bytes && isOutcomeOpen(json as UploadError))) delete keys[content];
          } else foreign = { status, responseURL: xhr.responseURL };
          // A captive portal responds 200 with its own page.
          if (isSuccess && (isOurs || !isServer)) resolve([status, json]);
          else reject(toUploadError(xhr, json));
        };
        xhr.open(method, url);
        xhr.withCredentials = isServer && credentials === 'include';
        for (const [name, value] of Object.entries(allHeaders)) xhr.setRequestHeader(name, value);
        restartTimer();
        xhr.send(body ?? null);
        onSent?.(0);
        return () => {
          clearTimeout(timer);
          xhr.abort();
        };
      });
      reportEnd(status);
      return response;
    } catch (reason) {
      // When the network is back, a request may fail once more.
      if (navigator.onLine === false) knownEndpoints.add(base);
      const isUnknown = isServer && !knownEndpoints.has(base) && !signal?.aborted;
      const error = isUnknown && foreign ? explainMissingServer(url, foreign, errors) : reason;
      const isUploadError = error instanceof UploadError;
      const code = isUploadError ? error.code : 'ABORTED';
      reportEnd(isUploadError ? error.status : 0, code);
      // The token may have expired between reading and using it.
      if (code === 'UNAUTHENTICATED' && typeof custom === 'function' && !isRepeated)
        return send(request, true);
      throw error;
    }
  };

  function toUploadError(xhr: XMLHttpRequest, json: unknown): UploadError {
    const { status } = xhr;
    if (isOwnError(json)) {
      const { code, message, retryable, retryAfterMs, requestId, details } = json;
      const facts = { status, retryable: retryable === true, retryAfterMs, requestId, details };
      return toError(code, facts, message);
    }
    const seconds = Number(xhr.getResponseHeader('Retry-After'));
    return toError(CODE_OF_STATUS[status] ?? 'UPSTREAM_ERROR', {
      status,
      retryable: status < 400 || status === 408 || status === 429 || status >= 500,
      retryAfterMs: seconds * 1000 || undefined, // NaN for a date
    });
  }
}

/** Whether a success is the server's own, and not a page or the JSON of another service. */
function isOwnResponse(path: string, json: unknown): boolean {
  return typeof json === 'object' && json !== null && (path !== '/config' || 'types' in json);
}

function isOwnError(json: unknown): json is Omit<UploadError, 'is'> {
  return typeof json === 'object' && json !== null && 'code' in json && 'message' in json;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
