import { type AppError, appError } from '../errors/app-error.ts';

/** What Node's HTTP parser tells of a request that it can't read. */
export interface ParserError extends Error {
  readonly code?: string;
  readonly rawPacket?: Buffer;
}

/** What the client is told of a {@link ParserError}; null when nobody is left to tell. */
export function toConnectionError(error: ParserError): AppError | null {
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
