import http from 'node:http';
import { type ApiResponse, toResponse } from './send-upload.ts';
import type { TestServer } from './test-server.ts';

/** One request; a header with several values is sent several times. */
export interface Call {
  readonly method?: string;
  /** Below the base path. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** Sent as JSON. */
  readonly json?: unknown;
}

/** Sends a request as a program does, with no header that was not asked for, and reads the response. */
export function call(
  testServer: TestServer,
  { method = 'GET', path, headers = {}, json }: Call,
): Promise<ApiResponse> {
  const body = json === undefined ? null : Buffer.from(JSON.stringify(json));
  const about = body === null ? {} : { 'Content-Type': 'application/json', 'Content-Length': body.length };
  return new Promise((resolve, reject) => {
    const req = http.request(
      `${testServer.api}${path}`,
      { method, agent: false, headers: { ...about, ...(headers as http.OutgoingHttpHeaders) } },
      (res) => {
        const chunks: Buffer[] = [];
        res.on('data', (chunk: Buffer) => chunks.push(chunk));
        res.once('error', reject);
        res.once('end', () => {
          // A response to HEAD has the headers of a body and none.
          const content = method === 'HEAD' ? Buffer.from('{}') : Buffer.concat(chunks);
          resolve(toResponse(res.statusCode ?? 0, res.headers, content));
        });
      },
    );
    req.once('error', reject);
    req.end(body ?? undefined);
  });
}

/** A call that is let in by anyone who knows its client, and that Leadway is not asked for. */
export const PROBE: Call = {
  method: 'POST',
  path: '/messages/upload/complete',
  json: { ticket: 'not-a-ticket' },
};

/** Whether the response to {@link PROBE} shows that the client was known; fails on any third response. */
export function wasLetIn({ status, body }: ApiResponse): boolean {
  if (status === 403 && body.code === 'TICKET_INVALID') return true;
  if (status === 401 && body.code === 'UNAUTHENTICATED') return false;
  throw new Error(`neither in nor out: ${status} ${body.code}`);
}
