import type { IncomingMessage } from 'node:http';
import type { Response } from 'express';
import { type StallWatch, watchStall } from '../server/http/byte-progress.ts';
import { http } from '../server/http/node-http.ts';
import { onResponseEnd } from '../server/http/response-end.ts';

/** Headers of Leadway's response that a client gets. `Set-Cookie` would put Leadway's cookies on our origin. */
const RESPONSE_HEADERS = [
  'content-type',
  'content-length',
  'content-encoding',
  'content-language',
  'etag',
  'last-modified',
];

/** How a response is watched. */
interface PassOptions {
  /** Watches the upstream; paused while the client is not reading. */
  readonly watch: StallWatch | null;
  /** How long the client may take nothing. */
  readonly idleMs: number;
}

/** Whether a browser could execute `response` on our origin. Leadway responds with JSON, so such a response comes from something in between. */
export function isWebPage({ headers }: IncomingMessage): boolean {
  return /\b(?:html|svg|xml|javascript|ecmascript)\b/i.test(headers['content-type'] ?? '');
}

/** Streams a success of Leadway's to the client, as fast as the client takes it. */
export function pipeResponse(response: IncomingMessage, res: Response, { watch, idleMs }: PassOptions): void {
  res.status(response.statusCode ?? 502);
  res.statusMessage = http.STATUS_CODES[res.statusCode] ?? '';
  for (const name of RESPONSE_HEADERS) {
    const value = response.headers[name];
    if (value !== undefined) res.setHeader(name, value);
  }
  res.setHeader('Cache-Control', 'no-store');
  // If opened as a page, it can do nothing.
  res.setHeader('Content-Security-Policy', "default-src 'none'; sandbox");

  const clientWatch = watchStall(res, idleMs, () => res.destroy());
  const setClientsTurn = (isClientsTurn: boolean): void => {
    watch?.setWaiting(!isClientsTurn);
    clientWatch.setWaiting(isClientsTurn);
  };
  response.on('data', (chunk: Buffer) => {
    if (res.write(chunk)) return;
    response.pause();
    setClientsTurn(true);
  });
  res.on('drain', () => {
    setClientsTurn(false);
    response.resume();
  });
  response.once('end', () => {
    watch?.stop();
    clientWatch.setWaiting(true);
    res.end();
  });
  response.on('error', () => res.destroy());
  onResponseEnd(res, () => clientWatch.stop());
}
