import type { IncomingMessage, ServerResponse } from 'node:http';
import { appError } from '../errors/app-error.ts';
import { joinBuffers } from './buffers.ts';

/** Whether `req` announces a body (RFC 9112, section 6.3). */
export function hasBody(req: IncomingMessage): boolean {
  return req.headers['transfer-encoding'] !== undefined || (contentLengthOf(req) ?? 0) > 0;
}

/** The announced length of the body in bytes; null when it is not announced. */
export function contentLengthOf(req: IncomingMessage): number | null {
  const value = req.headers['content-length'];
  return value === undefined ? null : Number(value);
}

/** @throws AppError `UNSUPPORTED_ENCODING` when the body is compressed, which no route takes. */
export function assertNoEncoding(req: IncomingMessage): void {
  const encoding = req.headers['content-encoding'];
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') throw appError('UNSUPPORTED_ENCODING');
}

const CONTINUED = Symbol('100 Continue sent');

type Expecting = IncomingMessage & { [CONTINUED]?: true };

/**
 * Lets a client that sent `Expect: 100-continue` begin its body (RFC 9110, section 10.1.1). Call it right before the body
 * is read, after everything that can be rejected without it.
 */
export function sendContinue(req: Expecting, res: ServerResponse): void {
  if (req.headers.expect === undefined || res.headersSent) return;
  req[CONTINUED] = true;
  res.writeContinue();
}

/** Whether the client waits with its body for a `100 Continue` that it has not been sent. */
export function isBodyHeldBack(req: Expecting): boolean {
  return req.headers.expect !== undefined && req[CONTINUED] === undefined;
}

/** Thrown by {@link readBody} if the body is larger than its limit. */
export class BodyOverflowError extends Error {
  override readonly name = 'BodyOverflowError';
}

/**
 * Reads the whole body of a request or of a response.
 *
 * @throws BodyOverflowError past `maxBytes`. The rest is then read and discarded, unless `message` is destroyed.
 * @throws Error the stream's own, or that the body was cut short.
 */
export function readBody(message: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const chunks: Buffer[] = [];
  let bytes = 0;
  const onData = (chunk: Buffer): void => {
    bytes += chunk.length;
    chunks.push(chunk);
    if (bytes <= maxBytes) return;
    message.off('data', onData);
    reject(new BodyOverflowError(`more than ${maxBytes} bytes`));
  };
  message.on('data', onData);
  message.once('end', () => {
    resolve(joinBuffers(chunks));
  });
  message.once('error', reject);
  // Cut short, or destroyed before it was read. Creating an error is expensive, so only do it if needed.
  message.once('close', () => {
    if (!message.readableEnded) reject(new Error('the body was cut short'));
  });
  return promise;
}
