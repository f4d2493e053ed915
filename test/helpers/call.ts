import http from 'node:http';
import type { House } from './house.ts';
import { type Answer, toAnswer } from './send-upload.ts';

/** One request; a header with several values is sent several times. */
export interface Call {
  readonly method?: string;
  /** Below the base path. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** Sent as JSON. */
  readonly json?: unknown;
}

/** Sends a request as a program does, with no header that was not asked for, and reads the answer. */
export function call(house: House, { method = 'GET', path, headers = {}, json }: Call): Promise<Answer> {
  const body = json === undefined ? null : Buffer.from(JSON.stringify(json));
  const about = body === null ? {} : { 'Content-Type': 'application/json', 'Content-Length': body.length };
  return new Promise((resolve, reject) => {
    const req = http.request(
      `${house.api}${path}`,
      { method, agent: false, headers: { ...about, ...(headers as http.OutgoingHttpHeaders) } },
      (res) => {
        const chunks: Buffer[] = [];
        res.on('data', (chunk: Buffer) => chunks.push(chunk));
        res.once('error', reject);
        res.once('end', () => {
          // An answer to HEAD has the headers of a body and none.
          const content = method === 'HEAD' ? Buffer.from('{}') : Buffer.concat(chunks);
          resolve(toAnswer(res.statusCode ?? 0, res.headers, content));
        });
      },
    );
    req.once('error', reject);
    req.end(body ?? undefined);
  });
}

/** A call that is let in by anyone who knows its caller, and that Leadway is not asked for. */
export const PROBE: Call = {
  method: 'POST',
  path: '/messages/upload/complete',
  json: { ticket: 'not-a-ticket' },
};

/** Whether the answer to {@link PROBE} shows that the caller was known; fails on any third answer. */
export function wasLetIn({ status, body }: Answer): boolean {
  if (status === 403 && body.code === 'TICKET_INVALID') return true;
  if (status === 401 && body.code === 'UNAUTHENTICATED') return false;
  throw new Error(`neither in nor out: ${status} ${body.code}`);
}
