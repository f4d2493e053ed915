import type { IncomingMessage } from 'node:http';

/** Thrown by {@link readBody} for a body over its bound. */
export class BodyOverflowError extends Error {
  override readonly name = 'BodyOverflowError';
}

/**
 * The whole body of a request or of a response.
 *
 * @throws BodyOverflowError past `maxBytes`; what still comes is read and thrown away then, unless `message` is
 *   destroyed. Whatever the stream raises when the body is cut short.
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
    const [first] = chunks;
    resolve(chunks.length === 1 && first ? first : Buffer.concat(chunks));
  });
  message.once('error', reject);
  // Cut short, or destroyed before it was read; an error costs its stack, so none is made in vain.
  message.once('close', () => {
    if (!message.readableEnded) reject(new Error('the body was cut short'));
  });
  return promise;
}
