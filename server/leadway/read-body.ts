import type { IncomingMessage } from 'node:http';

/** Answer bodies that Leadway may send, in bytes. */
export const MAX_JSON_BYTES = 1024 * 1024;
export const MAX_ERROR_BYTES = 64 * 1024;

/** Thrown by {@link readBody} for a body over its bound. */
export class BodyOverflowError extends Error {
  override readonly name = 'BodyOverflowError';
}

/**
 * The whole body of an upstream answer as text.
 *
 * @throws BodyOverflowError past `maxBytes`; whatever the stream raises when the answer is cut short.
 */
export function readBody(response: IncomingMessage, maxBytes: number): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const chunks: Buffer[] = [];
  let bytes = 0;
  response.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    chunks.push(chunk);
    if (bytes <= maxBytes) return;
    reject(new BodyOverflowError(`more than ${maxBytes} bytes`));
    response.destroy();
  });
  response.once('end', () => {
    const [first] = chunks;
    resolve((chunks.length === 1 && first ? first : Buffer.concat(chunks)).toString('utf8'));
  });
  response.once('error', reject);
  // Cut short, or destroyed before it was read; an error costs its stack, so none is made in vain.
  response.once('close', () => {
    if (!response.readableEnded) reject(new Error('the answer was cut short'));
  });
  return promise;
}
