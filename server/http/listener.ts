import type { IncomingHttpHeaders, IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { type AppError, appError } from '../errors/app-error.ts';
import { methodNotAllowed } from '../errors/factories.ts';
import { chooseLanguage, sendError, toErrorResponse } from '../errors/response.ts';
import { LingeringClose } from './lingering-close.ts';
import { http } from './node-http.ts';
import { Connection, halfClose, PIPELINING_LIMITS, type PipeliningLimits } from './pipelining.ts';
import { toRequestId } from './request-id.ts';
import { canRespond, onResponseEnd } from './response-end.ts';

/** Limits of the HTTP listener itself. */
export interface ListenerLimits {
  /** All headers of a request together, request line included. */
  readonly maxHeaderSize: number;
  readonly headersTimeoutMs: number;
  /** How often the headers' timeout is checked. */
  readonly checkIntervalMs: number;
  readonly keepAliveTimeoutMs: number;
  readonly pipelining: PipeliningLimits;
}

/** The keep-alive is longer than the usual idle timeout of a load balancer (60 s), so that we never close first. */
export const LISTENER_LIMITS: ListenerLimits = {
  maxHeaderSize: 16 * 1024,
  headersTimeoutMs: 15_000,
  checkIntervalMs: 2_000,
  keepAliveTimeoutMs: 65_000,
  pipelining: PIPELINING_LIMITS,
};

type RequestHandler = (req: IncomingMessage, res: ServerResponse) => void;

/** Called for every request that was rejected before `handler` could see it. */
export type OnRejectedConnection = (error: AppError, requestId: string, socket: Socket) => void;

/** The result of {@link createListener}. */
export interface Listener extends Server {
  /** From now on the response to the latest request of each connection says `Connection: close` and is its last. */
  closeConnectionsAfterResponses(): void;
}

/** Response headers that a page of another origin may read. */
export const EXPOSED_HEADERS = ['X-Request-Id', 'Retry-After', 'RateLimit', 'RateLimit-Policy'];

/** How often connections are checked: whether clients read their responses, and are still there. */
const CHECK_MS = 1_000;

/** The methods of all our routes, for the response to CONNECT, which has no route. */
const METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS';

/**
 * Makes an HTTP server for `handler` that rejects malformed, slow and large requests with the same JSON errors as the
 * API. It does not listen yet.
 *
 * `Expect` is left to `handler`, so that a rejection goes out before a byte of the body was sent. So is a missing `Host`,
 * which Node would reject without a body.
 *
 * @param allowedOrigins Origins of pages that may read the errors made here.
 */
export function createListener(
  handler: RequestHandler,
  onRejected: OnRejectedConnection,
  lingering: LingeringClose = new LingeringClose(),
  limits: ListenerLimits = LISTENER_LIMITS,
  allowedOrigins: readonly string[] = [],
): Listener {
  const connections = new Set<Connection>();
  let closesAfterResponses = false;
  const rejected = new WeakSet<Socket>();
  const handle: RequestHandler = (req, res) => Connection.of(req.socket)?.add(req, res);
  const reject = async (socket: Socket, error: AppError, request: IncomingHttpHeaders): Promise<void> => {
    rejected.add(socket);
    // Earlier complete requests still get their responses.
    await Connection.of(socket)?.responded();
    if (!socket.writable) return;
    const requestId = toRequestId(request['x-request-id']);
    onRejected(error, requestId, socket);
    const { status, headers, body } = toErrorResponse(
      error,
      requestId,
      chooseLanguage(request['accept-language']),
    );
    writeRaw(socket, status, { ...headers, ...corsHeaders(request.origin, allowedOrigins) }, body);
    lingering.discard(socket, LINGER_MS);
  };

  const server = http.createServer(
    {
      maxHeaderSize: limits.maxHeaderSize,
      headersTimeout: limits.headersTimeoutMs,
      // Bodies have their own timeouts (byte-progress.ts): five minutes in all would end good slow uploads.
      requestTimeout: 0,
      connectionsCheckingInterval: limits.checkIntervalMs,
      keepAliveTimeout: limits.keepAliveTimeoutMs,
      requireHostHeader: false,
      noDelay: true,
    },
    handle,
  );
  server.on('checkContinue', handle);
  server.on('checkExpectation', handle);
  server.on('connection', (socket: Socket) => {
    const connection = new Connection(socket, handler, limits.pipelining);
    if (closesAfterResponses) connection.closeAfterResponses();
    connections.add(connection);
    socket.once('close', () => connections.delete(connection));
  });
  const timer = setInterval(() => {
    const now = performance.now();
    for (const connection of connections) connection.check(now);
  }, CHECK_MS).unref();
  server.once('close', () => clearInterval(timer));
  server.on('connect', (req: IncomingMessage, socket: Socket) => {
    socket.on('error', () => socket.destroy());
    // Node's parser lets go of the socket here. Unless it is read, we don't notice that the client has disconnected.
    socket.once('end', () => socket.end());
    socket.resume();
    const error = methodNotAllowed(METHODS);
    void reject(socket, error, req.headers);
  });
  server.on('clientError', (error: ParserError, socket: Socket) => {
    // The parser emits its error again with every chunk that still arrives.
    if (rejected.has(socket)) return;
    const problem = fromParser(error);
    const broken = Connection.of(socket)?.incomplete ?? null;
    const hasLeft = problem === null || (broken !== null && error.code === 'HPE_INVALID_EOF_STATE');
    if (hasLeft || !socket.writable) {
      socket.destroy();
    } else if (broken === null) {
      void reject(socket, problem, headersIn(error));
    } else {
      rejected.add(socket);
      rejectBody(broken.req, broken.res, problem);
    }
  });
  return Object.assign(server, {
    closeConnectionsAfterResponses(): void {
      closesAfterResponses = true;
      for (const connection of connections) connection.closeAfterResponses();
    },
  });
}

/** Rejects a request whose body can't be parsed any further, and closes its connection. */
function rejectBody(req: IncomingMessage, res: ServerResponse, error: AppError): void {
  if (!canRespond(res)) {
    onResponseEnd(res, () => halfClose(req.socket));
    return;
  }
  res.setHeader('Connection', 'close');
  sendError(req, res, error);
}

/** An error of Node's HTTP parser: a request that it can't read. */
export interface ParserError extends Error {
  readonly code?: string;
  readonly rawPacket?: Buffer;
  /** How much of `rawPacket` was parsed. */
  readonly bytesParsed?: number;
}

/** Headers that the response depends on. */
const NEEDED_HEADER = /^(x-request-id|accept-language|origin):([^\r\n]*)/gim;

/** The headers of a request that the parser gave up on, as far as they are in its last packet. */
function headersIn({ rawPacket, bytesParsed = 0 }: ParserError): IncomingHttpHeaders {
  const packet = rawPacket?.toString('latin1') ?? '';
  const start = packet.slice(0, bytesParsed).lastIndexOf('\r\n\r\n') + 1; // behind earlier requests
  const [head = ''] = packet.slice(start).trimStart().split('\r\n\r\n', 1);
  const needed = [...head.matchAll(NEEDED_HEADER)];
  return Object.fromEntries(needed.map(([, name = '', value = '']) => [name.toLowerCase(), value.trim()]));
}

/** Without these, a browser shows a page of another origin no more than that the call failed. */
function corsHeaders(origin: string | undefined, allowed: readonly string[]): Record<string, string> {
  if (origin === undefined || !allowed.includes(origin)) return {};
  return {
    'Access-Control-Allow-Origin': origin,
    'Access-Control-Allow-Credentials': 'true',
    'Access-Control-Expose-Headers': EXPOSED_HEADERS.join(','),
    Vary: 'Origin',
  };
}

/** The response to a {@link ParserError}; null if the client has gone. */
function fromParser(error: ParserError): AppError | null {
  switch (error.code) {
    case 'ECONNRESET':
    case 'EPIPE':
      return null;
    case 'HPE_HEADER_OVERFLOW':
      return appError(isRequestLineOverflow(error.rawPacket) ? 'URI_TOO_LONG' : 'HEADERS_TOO_LARGE');
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return appError('REQUEST_TIMEOUT');
    default:
      return appError('BAD_REQUEST', { cause: error });
  }
}

const MAX_REQUEST_LINE = 8 * 1024;

/** Node counts the request line as header bytes and gives both overflows the same code. */
function isRequestLineOverflow(packet: Buffer | undefined): boolean {
  if (packet === undefined || !/^[A-Z]+ [/*h]/.test(packet.toString('latin1', 0, 16))) return false;
  const end = packet.indexOf('\r\n');
  return end === -1 || end > MAX_REQUEST_LINE;
}

/** How long the connection is read after the response, in milliseconds: nothing on it can be parsed any more. */
const LINGER_MS = 2_000;

/** Sends a response on a bare socket, for which Node has no response object, and closes it. */
function writeRaw(
  socket: Socket,
  status: number,
  headers: Readonly<Record<string, string>>,
  body: string,
): void {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(
    `HTTP/1.1 ${status} ${http.STATUS_CODES[status]}\r\n${lines.join('')}Connection: close\r\n\r\n${body}`,
  );
}
