import type { Socket } from 'node:net';
import { type AppError, appError } from '../errors/app-error.ts';
import type { Language } from '../errors/messages.ts';
import { toErrorResponse } from '../errors/response.ts';
import type { LingeringClose } from './lingering-close.ts';
import { http } from './node-http.ts';

/** An error of Node's HTTP parser: a request that it can't read. */
export interface ParserError extends Error {
  readonly code?: string;
  readonly rawPacket?: Buffer;
}

/** The response to a {@link ParserError}; null if the client has gone. */
export function fromParser(error: ParserError): AppError | null {
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

/** Sends an error on a bare socket, for which Node has no response object, and closes it. */
export function writeRawError(
  socket: Socket,
  error: AppError,
  { requestId, language }: { readonly requestId: string; readonly language: Language },
  lingering: LingeringClose,
): void {
  const { status, headers, body } = toErrorResponse(error, requestId, language);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(
    `HTTP/1.1 ${status} ${http.STATUS_CODES[status]}\r\n${lines.join('')}Connection: close\r\n\r\n${body}`,
  );
  lingering.discard(socket, LINGER_MS);
}
