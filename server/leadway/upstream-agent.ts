import type { Agent, AgentOptions, ClientRequest, RequestOptions } from 'node:http';
import type { Duplex } from 'node:stream';
import { urlToHttpOptions } from 'node:url';
import { http, https } from '../http/node-http.ts';

/** How long a connection may take to come about, its TLS handshake included, in milliseconds. */
const CONNECT_TIMEOUT_MS = 5_000;
/**
 * How long each address of a host is tried before the next one. Node gives up on each but the last after 250 ms, which
 * cuts off a server far away; a lost SYN is sent again after a second.
 */
const ADDRESS_TIMEOUT_MS = 1_500;
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

/** Opens requests with pooled connections. */
export interface UpstreamAgent extends Disposable {
  /** The pool for the scheme of `url`, for requests that are opened by other means. */
  poolFor(url: URL): Agent;
  /** Begins a request to `target`; the caller writes the body. Redirects are never followed. */
  request(target: RequestTarget, options: RequestOptions, connection?: Connection): ClientRequest;
}

/** What {@link createUpstreamAgent} takes. */
export interface UpstreamAgentOptions {
  readonly connectTimeoutMs?: number;
  /** Called for each new connection, with the host and its port unless that is the usual one. */
  onConnected?(host: string): void;
  /** Called when no connection came about. */
  onUnreachable?(host: string, error: Error): void;
}

/**
 * Pooled connections to Leadway and to storage. A free connection is closed after four seconds, before
 * servers usually do: an upload that is streamed on a connection that the server is just closing is lost.
 */
export function createUpstreamAgent(options: UpstreamAgentOptions = {}): UpstreamAgent {
  const pooled = createPools({ ...AGENT_OPTIONS, keepAlive: true }, options);
  const fresh = createPools({ ...AGENT_OPTIONS, keepAlive: false }, options);
  return {
    poolFor: (url) => pooled.of(url),
    request(target, requestOptions, connection = 'pooled') {
      const { request: open } = target.protocol === 'https:' ? https : http;
      const agent = (connection === 'fresh' ? fresh : pooled).of(target);
      return open({ ...target, ...requestOptions, agent });
    },
    [Symbol.dispose]() {
      pooled.destroy();
      fresh.destroy();
    },
  };
}

const AGENT_OPTIONS = {
  timeout: FREE_SOCKET_TIMEOUT_MS,
  scheduling: 'lifo',
  autoSelectFamilyAttemptTimeout: ADDRESS_TIMEOUT_MS,
} as const;

function createPools(agentOptions: AgentOptions, options: UpstreamAgentOptions) {
  const plain = watchConnections(new http.Agent(agentOptions), 'connect', options);
  const secure = watchConnections(new https.Agent(agentOptions), 'secureConnect', options);
  return {
    of: ({ protocol }: RequestTarget | URL): Agent => (protocol === 'https:' ? secure : plain),
    destroy() {
      plain.destroy();
      secure.destroy();
    },
  };
}

/** Connections that came about. */
const open = new WeakSet<object>();

/** Whether `request` has, or had, a connection to the upstream. Without one, nothing of it can have arrived. */
export function isConnected(request: ClientRequest | null): boolean {
  return request?.socket != null && open.has(request.socket);
}

/** Thrown when no connection could be had in time. */
export class ConnectTimeoutError extends Error {
  override readonly name = 'ConnectTimeoutError';
}

/** Bounds how long the connections of `agent` may take to come about, and reports what became of them. */
function watchConnections<T extends Agent>(
  agent: T,
  connected: 'connect' | 'secureConnect',
  { connectTimeoutMs = CONNECT_TIMEOUT_MS, onConnected, onUnreachable }: UpstreamAgentOptions,
): T {
  const connect = agent.createConnection.bind(agent);
  agent.createConnection = (target, callback): Duplex | null | undefined => {
    const socket = connect(target, callback);
    if (socket == null) return socket;
    const host = toHostName(target.host ?? 'localhost', Number(target.port), connected === 'secureConnect');
    const timer = setTimeout(() => {
      socket.destroy(new ConnectTimeoutError(`no connection within ${connectTimeoutMs / 1000} s`));
    }, connectTimeoutMs);
    const onError = (error: Error): void => onUnreachable?.(host, error);
    socket.once('error', onError);
    socket.once(connected, () => {
      clearTimeout(timer);
      socket.off('error', onError);
      open.add(socket);
      onConnected?.(host);
    });
    socket.once('close', () => clearTimeout(timer));
    return socket;
  };
  return agent;
}

/** `host` or `host:port`, as people write it. */
function toHostName(host: string, port: number, isSecure: boolean): string {
  const name = host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
  return port === (isSecure ? 443 : 80) ? name : `${name}:${port}`;
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
