import type { Socket } from 'node:net';
import type { AppError } from '../errors/app-error.ts';
import { toErrorResponse } from '../errors/error-response.ts';
import type { Language } from '../errors/messages.ts';
import { http } from './node-http.ts';

/** What a caller still sends is read for so long, so that no reset overtakes the answer. */
const LINGER_MS = 2_000;

/** Answers on a bare socket, where Node has no response to write to, and closes it. */
export function writeRawError(socket: Socket, error: AppError, requestId: string, language: Language): void {
  const { status, headers, body } = toErrorResponse(error, requestId, language);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(
    `HTTP/1.1 ${status} ${http.STATUS_CODES[status]}\r\n${lines.join('')}Connection: close\r\n\r\n${body}`,
  );
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  timer.unref();
  socket.once('close', () => clearTimeout(timer));
  socket.resume();
}
