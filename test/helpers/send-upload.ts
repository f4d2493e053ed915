import { createHash } from 'node:crypto';
import http, { type IncomingHttpHeaders } from 'node:http';
import { encodeForm, FORM_TYPE, type Part } from './multipart.ts';
import type { TestServer } from './test-server.ts';

/** The JSON of a response: a success or an error of the contract. */
export interface ResponseBody {
  readonly mode?: string;
  readonly uploadedFiles?: Readonly<Record<string, string>>;
  readonly twilioMediaSids?: readonly string[];
  readonly delivery?: {
    readonly verdict: string;
    readonly reasons: readonly { readonly code: string; readonly message: string; readonly file: string }[];
  };
  readonly status?: number;
  readonly code?: string;
  readonly message?: string;
  readonly requestId?: string;
  readonly retryable?: boolean;
  readonly retryAfterMs?: number;
  readonly upstreamTraceId?: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** A response, read whole. */
export interface ApiResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly body: ResponseBody;
}

/** How an upload is sent. */
export interface SendOptions {
  /** With its question mark. */
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sends no `Content-Length`. */
  readonly chunked?: boolean;
}

/** Sends parts, or the bytes of a form, to `POST /messages/upload` and reads the response. */
export function sendUpload(
  testServer: TestServer,
  form: readonly Part[] | Buffer,
  { query = '', headers = {}, chunked = false }: SendOptions = {},
): Promise<ApiResponse> {
  const body = Buffer.isBuffer(form) ? form : encodeForm(form);
  const length = chunked ? { 'Transfer-Encoding': 'chunked' } : { 'Content-Length': String(body.length) };
  return new Promise((resolve, reject) => {
    const req = http.request(
      `${testServer.api}/messages/upload${query}`,
      { method: 'POST', agent: false, headers: { 'Content-Type': FORM_TYPE, ...length, ...headers } },
      (res) => {
        const chunks: Buffer[] = [];
        res.on('data', (chunk: Buffer) => chunks.push(chunk));
        res.once('error', reject);
        res.once('end', () => resolve(toResponse(res.statusCode ?? 0, res.headers, Buffer.concat(chunks))));
      },
    );
    req.once('error', reject);
    req.end(body);
  });
}

/** A response from its pieces; a body that is not JSON shows as an empty object. */
export function toResponse(status: number, headers: IncomingHttpHeaders, content: Buffer): ApiResponse {
  const text = content.toString();
  const isJson = headers['content-type']?.startsWith('application/json') === true;
  return { status, headers, text, body: isJson ? (JSON.parse(text) as ResponseBody) : {} };
}

/** Text fields as parts, in their order. */
export function textParts(fields: Readonly<Record<string, string>>): Part[] {
  return Object.entries(fields).map(([name, content]) => ({ name, content }));
}

/** A file part in the field that files are taken in. */
export function filePart(filename: string, content: string | Buffer, contentType?: string): Part {
  return { name: 'fileAttachment', filename, content, ...(contentType !== undefined && { contentType }) };
}

/** What a file's record in the sandbox must show for `content`. */
export function sha256(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}
