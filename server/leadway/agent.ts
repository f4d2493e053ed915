import type { Agent, ClientRequest, OutgoingHttpHeaders, RequestOptions } from 'node:http';
import { isIP, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { urlToHttpOptions } from 'node:url';
import { http, https } from '../http/node-http.ts';
import type { OutboundProxy, OutboundTarget, ProxyFor } from '../http/outbound-proxy.ts';
import { ExchangePool, type ExchangeRequest, type ExchangeResponse, type OpenSocket } from './exchange.ts';

/** How long connecting may take, with the TLS handshake, in milliseconds. */
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

/**
 * Sends requests to Leadway and storage on pooled connections, with the client that costs less: undici for bodies that
 * are known in full, `node:http` for those that are streamed. Redirects are never followed.
 */
export interface UpstreamAgent extends Disposable {
  /** The pool for the scheme of `url`, for requests that are opened by other means. */
  poolFor(url: URL): Agent;
  /** Opens a request to `target`, whose body the caller writes. */
  request(target: RequestTarget, options: RequestOptions): ClientRequest;
  /**
   * Sends a request with its whole body and reads its response.
   *
   * @throws ExchangeError when no whole response comes.
   */
  exchange(request: ExchangeRequest): Promise<ExchangeResponse>;
}

/** Options of {@link createUpstreamAgent}. */
export interface UpstreamAgentOptions {
  /** By default every call goes straight to its target. */
  readonly proxyFor?: ProxyFor;
  /** Called for each new connection, with the host, and the port if it is not the default. */
  onConnected?(host: string): void;
  /** Called when connecting failed, to the host, to the proxy or through it. */
  onUnreachable?(host: string, error: Error, proxy: OutboundProxy | null): void;
}

/**
 * Pooled connections to Leadway and to storage. A free connection is closed after four seconds, before servers usually
 * do: an upload streamed on a connection that the server is closing is lost.
 */
export function createUpstreamAgent(options: UpstreamAgentOptions = {}): UpstreamAgent {
  const { proxyFor = () => null } = options;
  const pools = createPools(proxyFor, options);
  const sessions: TlsSessions = new Map();
  const exchanges = new ExchangePool((url, callback) => {
    const isTunnel = url.protocol === 'https:' && proxyFor(url) !== null;
    openSocket(pools.of(url), url, { isTunnel, sessions }, callback);
  });
  return {
    poolFor: (url) => pools.of(url),
    request(target, requestOptions) {
      const isSecure = target.protocol === 'https:';
      const { request: openRequest } = isSecure ? https : http;
      const agent = pools.of(target);
      const all = { ...target, ...requestOptions, agent };
      // Node adds the password for the proxy to an object of headers only.
      if (!isSecure && proxyFor(target) !== null) all.headers = toHeaderObject(all.headers);
      return openRequest(all);
    },
    exchange(request) {
      const proxy = request.url.protocol === 'http:' ? proxyFor(request.url) : null;
      return exchanges.exchange(proxy === null ? request : throughPlainProxy(request, proxy));
    },
    [Symbol.dispose]() {
      pools.destroy();
      exchanges[Symbol.dispose]();
    },
  };
}

/** A proxy for plain http wants the whole URL (RFC 9112, section 3.2.2); one for https gets a tunnel instead. */
function throughPlainProxy(request: ExchangeRequest, proxy: OutboundProxy): ExchangeRequest {
  const { username, password } = new URL(proxy.url.reveal());
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  const authorization = ['Proxy-Authorization', `Basic ${Buffer.from(credentials).toString('base64')}`];
  return {
    ...request,
    path: `${request.url.origin}${request.path}`,
    headers: username === '' ? request.headers : [...request.headers, ...authorization],
  };
}

/** The latest TLS session of each host, so that a new connection needs no full handshake. */
type TlsSessions = Map<string, Buffer>;

/** Opens a connection of `agent` for undici, so that undici connects through the same agent and the same hooks as node:http. */
function openSocket(
  agent: Agent,
  url: URL,
  { isTunnel, sessions }: { readonly isTunnel: boolean; readonly sessions: TlsSessions },
  callback: Parameters<OpenSocket>[1],
): void {
  const { hostname, port, protocol } = urlToHttpOptions(url);
  const host = hostname ?? '';
  const isSecure = protocol === 'https:';
  let isSettled = false;
  const settle = (error: Error | null, socket: Duplex | null | undefined): void => {
    if (isSettled) return;
    isSettled = true;
    if (error === null && socket) callback(null, socket as Socket);
    else {
      socket?.destroy();
      callback(error ?? new Error('there is no connection'), null);
    }
  };
  const options = {
    ...AGENT_OPTIONS,
    noDelay: true,
    host,
    port: Number(port || (isSecure ? 443 : 80)),
    ...(isSecure && { servername: isIP(host) === 0 ? host : '', session: sessions.get(url.host) }),
  };
  // Through a tunnel, the socket comes to the callback with its TLS handshake done.
  const socket = agent.createConnection(options, (error, tunnelled) => {
    if (error || tunnelled) settle(error, tunnelled);
  });
  socket?.once('error', (error: Error) => settle(error, socket));
  if (isTunnel) return;
  socket?.on('session', (session: Buffer) => sessions.set(url.host, session));
  socket?.once(isSecure ? 'secureConnect' : 'connect', () => settle(null, socket));
}

const AGENT_OPTIONS = {
  keepAlive: true,
  timeout: FREE_SOCKET_TIMEOUT_MS,
  scheduling: 'lifo',
  autoSelectFamilyAttemptTimeout: ADDRESS_TIMEOUT_MS,
} as const;

/** The pools of both schemes, straight and through the proxy of the scheme. */
function createPools(proxyFor: ProxyFor, options: UpstreamAgentOptions) {
  const create = (isSecure: boolean, proxy: OutboundProxy | null): Agent => {
    // This pool always uses its proxy; whether to use one is decided by `proxyFor`.
    const proxyEnv = proxy && { http_proxy: proxy.url.reveal(), https_proxy: proxy.url.reveal() };
    const agentOptions = { ...AGENT_OPTIONS, ...(proxyEnv && { proxyEnv }) };
    const agent = isSecure ? new https.Agent(agentOptions) : new http.Agent(agentOptions);
    return watchConnections(agent, { isSecure, proxy, ...options });
  };
  const straight = { plain: create(false, null), secure: create(true, null) };
  const throughProxy: { plain?: Agent; secure?: Agent } = {};
  return {
    of(target: OutboundTarget): Agent {
      const scheme = target.protocol === 'https:' ? 'secure' : 'plain';
      const proxy = proxyFor(target);
      if (proxy === null) return straight[scheme];
      throughProxy[scheme] ??= create(scheme === 'secure', proxy);
      return throughProxy[scheme];
    },
    destroy() {
      for (const pools of [straight, throughProxy]) for (const agent of Object.values(pools)) agent.destroy();
    },
  };
}

function toHeaderObject(headers: RequestOptions['headers']): OutgoingHttpHeaders {
  if (!isList(headers)) return { ...headers };
  const names = headers.filter((_, index) => index % 2 === 0);
  return Object.fromEntries(names.map((name, index) => [name, headers[index * 2 + 1]]));
}

function isList(headers: RequestOptions['headers']): headers is readonly string[] {
  return Array.isArray(headers);
}

/** Established connections. */
const open = new WeakSet<object>();

/** Whether `request` has, or had, a connection to the upstream. Without one, nothing of it can have arrived. */
export function isConnected(request: ClientRequest | null): boolean {
  return request?.socket != null && open.has(request.socket);
}

/** Connecting took too long. */
export class ConnectTimeoutError extends Error {
  override readonly name = 'ConnectTimeoutError';
}

interface WatchOptions extends UpstreamAgentOptions {
  readonly isSecure: boolean;
  readonly proxy: OutboundProxy | null;
}

/** Bounds how long connecting may take for `agent`, and reports the results. */
function watchConnections(
  agent: Agent,
  { isSecure, proxy, onConnected, onUnreachable }: WatchOptions,
): Agent {
  const connect = agent.createConnection.bind(agent);
  agent.createConnection = (target, callback): Duplex | null | undefined => {
    const host = toHostName(target.host ?? 'localhost', Number(target.port), isSecure);
    let isOver = false;
    const settle = (error: Error | null, socket?: Duplex): void => {
      if (isOver) return;
      isOver = true;
      clearTimeout(timer);
      if (socket !== undefined) open.add(socket);
      if (error === null) onConnected?.(host);
      else onUnreachable?.(host, error, proxy);
    };
    // Through a tunnel, the socket for the request comes to the callback, with its TLS handshake done.
    const isTunnel = isSecure && proxy !== null;
    const socket = connect(target, (error, tunnelled) => {
      if (isTunnel) settle(error, error ? undefined : tunnelled);
      callback?.(error, tunnelled);
    });
    const timer = setTimeout(() => {
      const error = new ConnectTimeoutError(`no connection within ${CONNECT_TIMEOUT_MS / 1000} s`);
      settle(error);
      if (isTunnel && socket) callback?.(error, socket);
      socket?.destroy(error);
    }, CONNECT_TIMEOUT_MS);
    timer.unref();
    if (isTunnel) return socket;
    socket?.once('close', () => clearTimeout(timer));
    socket?.once('error', (error: Error) => settle(error));
    socket?.once(isSecure ? 'secureConnect' : 'connect', () => settle(null, socket));
    return socket;
  };
  return agent;
}

/** `host` or `host:port`, as people write it. */
function toHostName(host: string, port: number, isSecure: boolean): string {
  const name = host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
  return port === (isSecure ? 443 : 80) ? name : `${name}:${port}`;
}
