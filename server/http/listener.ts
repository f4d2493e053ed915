import { randomUUID } from 'node:crypto';
import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http';
import type { Socket } from 'node:net';
import { type AppError, appError } from '../errors/app-error.ts';
import { toErrorResponse } from '../errors/error-response.ts';
import { sendError } from './send-error.ts';

/** Limits of the HTTP listener itself. */
export const LISTENER_LIMITS = {
  /** All headers of a request together, request line included. */
  maxHeaderSize: 16 * 1024,
  headersTimeoutMs: 15_000,
  /** Longer than the usual idle time-out of a load balancer (60 s), so that it is never us who close first. */
  keepAliveTimeoutMs: 65_000,
} as const;

type RequestHandler = (req: IncomingMessage, res: ServerResponse) => void;

/** Told of every request that ended before Express could see it. */
export type OnRejectedConnection = (error: AppError) => void;

/**
 * An HTTP server for `handler` whose own refusals (malformed, too slow or too large requests, unknown
 * expectations) have the contract's JSON shape too. Not yet listening.
 *
 * `Expect: 100-continue` is left unanswered until a handler begins to read the body, so that a refusal goes
 * out before a byte of it was sent.
 */
export function createListener(handler: RequestHandler, onRejected: OnRejectedConnection): Server {
  const server = createServer(
    {
      maxHeaderSize: LISTENER_LIMITS.maxHeaderSize,
      headersTimeout: LISTENER_LIMITS.headersTimeoutMs,
      // Bodies have their own clocks (body-watch.ts); five minutes in all would end good slow uploads.
      requestTimeout: 0,
      connectionsCheckingInterval: 2_000,
      keepAliveTimeout: LISTENER_LIMITS.keepAliveTimeoutMs,
      noDelay: true,
    },
    handler,
  );
  server.on('checkContinue', handler);
  server.on('checkExpectation', (req: IncomingMessage, res: ServerResponse) => {
    sendError(req, res, appError('EXPECTATION_FAILED'));
  });
  server.on('clientError', (error: ClientError, socket: Socket) => {
    const problem = toConnectionError(error);
    if (problem !== null && !isAnswered(socket)) {
      onRejected(problem);
      writeRawError(socket, problem);
    } else {
      socket.destroy();
    }
  });
  return server;
}

interface ClientError extends Error {
  readonly code?: string;
  readonly rawPacket?: Buffer;
}

/** What the caller is told of an error that Node's HTTP parser raised; null when nobody is left to tell. */
function toConnectionError(error: ClientError): AppError | null {
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

/** Node counts the request line as header bytes and names both overflows alike. */
function isRequestLineOverflow(packet: Buffer | undefined): boolean {
  if (packet === undefined || !/^[A-Z]+ [/*h]/.test(packet.toString('latin1', 0, 16))) return false;
  const end = packet.indexOf('\r\n');
  return end === -1 || end > MAX_REQUEST_LINE;
}

function isAnswered(socket: Socket): boolean {
  // Node keeps the response that is under way on the socket; writing a second one would corrupt the first.
  const { _httpMessage: response } = socket as Socket & { _httpMessage?: ServerResponse | null };
  return !socket.writable || response?.headersSent === true;
}

function writeRawError(socket: Socket, error: AppError): void {
  const { status, headers, body } = toErrorResponse(error, randomUUID(), 'en');
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}Connection: close\r\n\r\n${body}`,
    () => socket.destroySoon(),
  );
}
