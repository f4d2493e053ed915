import type { IncomingMessage } from 'node:http';
import type { Response } from 'express';
import { http } from '../server/http/node-http.ts';
import { onResponseEnd } from '../server/http/response-end.ts';
import { type ProgressWatch, watchProgress } from '../server/leadway/progress-watch.ts';

/** Headers of Leadway's answer that a caller gets. `Set-Cookie` would put Leadway's cookies on our origin. */
const ANSWER_HEADERS = [
  'content-type',
  'content-length',
  'content-encoding',
  'content-language',
  'etag',
  'last-modified',
];

/** How an answer is watched. */
interface PassOptions {
  /** Over the upstream, whose turn it is not while the caller takes nothing. */
  readonly watch: ProgressWatch | null;
  /** How long the caller may take nothing. */
  readonly idleMs: number;
}

/** Whether a browser would run what is in `answer`, on our origin. Leadway answers JSON, so this is not its answer. */
export function isWebPage({ headers }: IncomingMessage): boolean {
  return /\b(?:html|svg|xml|javascript|ecmascript)\b/i.test(headers['content-type'] ?? '');
}

/** Streams a success of Leadway's to the caller, as fast as the caller takes it. */
export function passAnswer(answer: IncomingMessage, res: Response, { watch, idleMs }: PassOptions): void {
  res.status(answer.statusCode ?? 502);
  res.statusMessage = http.STATUS_CODES[res.statusCode] ?? '';
  for (const name of ANSWER_HEADERS) {
    const value = answer.headers[name];
    if (value !== undefined) res.setHeader(name, value);
  }
  res.setHeader('Cache-Control', 'no-store');
  // Opened as a page, it may do nothing.
  res.setHeader('Content-Security-Policy', "default-src 'none'; sandbox");

  const callerWatch = watchProgress(res, idleMs, () => res.destroy());
  const setCallersTurn = (isCallersTurn: boolean): void => {
    watch?.setWaiting(!isCallersTurn);
    callerWatch.setWaiting(isCallersTurn);
  };
  answer.on('data', (chunk: Buffer) => {
    if (res.write(chunk)) return;
    answer.pause();
    setCallersTurn(true);
  });
  res.on('drain', () => {
    setCallersTurn(false);
    answer.resume();
  });
  answer.once('end', () => {
    watch?.stop();
    callerWatch.setWaiting(true);
    res.end();
  });
  answer.on('error', () => res.destroy());
  onResponseEnd(res, () => callerWatch.stop());
}
