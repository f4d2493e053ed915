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
export async function readBody(response: IncomingMessage, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) {
      response.destroy();
      throw new BodyOverflowError(`more than ${maxBytes} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
