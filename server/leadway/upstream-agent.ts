import type { Agent, ClientRequest, RequestOptions } from 'node:http';
import type { Socket } from 'node:net';
import { urlToHttpOptions } from 'node:url';
import { http, https } from '../http/node-http.ts';

/** Connect and free-socket times of upstream connections, in milliseconds. */
const CONNECT_TIMEOUT_MS = 5_000;
const FREE_SOCKET_TIMEOUT_MS = 4_000;

/** Where a request goes, in the form that `node:http` takes. */
export type RequestTarget = Readonly<RequestOptions>;

/** Takes a URL apart, once for all requests that go there. */
export function toTarget(url: URL): RequestTarget {
  const { protocol, hostname, port, path, auth } = urlToHttpOptions(url);
  return { protocol, hostname, ...(port !== '' && { port }), path, ...(auth && { auth }) } as RequestTarget;
}

/** `pooled` reuses an idle connection if there is one; `fresh` opens a connection for this request alone. */
export type Connection = 'pooled' | 'fresh';

/** Opens requests to one scheme with pooled connections. */
export interface UpstreamAgent extends Disposable {
  /** The pool for the scheme of `url`, for who opens requests by other means. */
  poolFor(url: URL): Agent;
  /** Begins a request to `target`; the caller writes the body. Redirects are never followed. */
  request(target: RequestTarget, options: RequestOptions, connection?: Connection): ClientRequest;
}

/**
 * Pooled connections to Leadway and to storage. A free connection is closed after four seconds, before
 * servers usually do: an upload that is streamed on a connection that the server is just closing is lost.
 */
export function createUpstreamAgent(): UpstreamAgent {
  const options = { keepAlive: true, timeout: FREE_SOCKET_TIMEOUT_MS, scheduling: 'lifo' as const };
  const plain = new http.Agent(options);
  const secure = new https.Agent(options);
  const once = { ...options, keepAlive: false };
  const plainOnce = new http.Agent(once);
  const secureOnce = new https.Agent(once);
  const poolFor = ({ protocol }: { readonly protocol?: string | null | undefined }): Agent =>
    protocol === 'https:' ? secure : plain;
  return {
    poolFor,
    request(target, requestOptions, connection = 'pooled') {
      const isSecure = target.protocol === 'https:';
      const { request: open } = isSecure ? https : http;
      const freshAgent = isSecure ? secureOnce : plainOnce;
      const agent = connection === 'fresh' ? freshAgent : poolFor(target);
      const request = open({ ...target, ...requestOptions, agent });
      limitConnectTime(request);
      return request;
    },
    [Symbol.dispose]() {
      for (const agent of [plain, secure, plainOnce, secureOnce]) agent.destroy();
    },
  };
}

/**
 * Watches `request`, which has just been opened. The returned function tells, once the request has failed, whether
 * it went out on a reused connection that ended before any byte of a response. The server was closing that
 * connection while it was idle and never looked at the request, so the request may be sent once more.
 */
export function watchForStaleConnection(request: ClientRequest): () => boolean {
  let bytesBefore = 0;
  request.once('socket', (socket) => {
    bytesBefore = socket.bytesRead;
  });
  return () => request.reusedSocket && request.socket?.bytesRead === bytesBefore;
}

/** Thrown when no connection could be had in time; told apart from a connection that was refused. */
export class ConnectTimeoutError extends Error {
  override readonly name = 'ConnectTimeoutError';
}

/**
 * Ends `request` with a {@link ConnectTimeoutError} when it gets no connection within `timeoutMs`. The requests of an
 * {@link UpstreamAgent} have that limit; for those that are opened by other means.
 */
export function limitConnectTime(request: ClientRequest, timeoutMs = CONNECT_TIMEOUT_MS): void {
  const limit = (socket: Socket): void => {
    if (!socket.connecting) return;
    const timer = setTimeout(() => {
      request.destroy(new ConnectTimeoutError(`no connection within ${timeoutMs} ms`));
    }, timeoutMs);
    const stop = (): void => clearTimeout(timer);
    socket.once('connect', stop);
    socket.once('close', stop);
  };
  if (request.socket) limit(request.socket);
  else request.once('socket', limit);
}
