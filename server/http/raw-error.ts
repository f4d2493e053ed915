import type { Socket } from 'node:net';
import type { AppError } from '../errors/app-error.ts';
import { toErrorResponse } from '../errors/error-response.ts';
import type { Language } from '../errors/messages.ts';
import type { LingeringClose } from './lingering-close.ts';
import { http } from './node-http.ts';

/** How long such a connection may bring little or nothing: it has no more to say that we could read. */
const PATIENCE_MS = 2_000;

/** Responds on a bare socket, where Node has no response to write to, and closes it. */
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
  lingering.discard(socket, PATIENCE_MS);
}
