import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import http, { type IncomingHttpHeaders } from 'node:http';
import type { RecordedRequest } from '../../sandbox/index.ts';
import { encodeForm, FORM_TYPE, type Part } from './multipart.ts';
import type { TestServer } from './test-server.ts';

/** The JSON of a response on the way of a direct upload: a step's success, or an error. */
export interface StepBody {
  readonly mode?: string;
  readonly uploadUrl: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly uploadId: string;
  readonly filePath: string;
  readonly expiresAt: number;
  readonly maxFileSize: number;
  readonly filename: string;
  readonly contentType: string;
  readonly ticket: string;
  readonly contentUrl: string;
  readonly completeUrl: string;
  readonly uploadedFiles?: Readonly<Record<string, string>>;
  readonly metadata?: { readonly size: number; readonly contentType: string };
  readonly code?: string;
  readonly message?: string;
  readonly retryable?: boolean;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** A response, read whole. */
export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly body: StepBody;
}

/** A call to make. */
export interface Call {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  /** Sends no `Content-Length`. */
  readonly chunked?: boolean;
}

/** The keys of an initiate response; the 202 of an upload has `mode` too. */
export const INITIATE_KEYS = [
  'completeUrl',
  'contentType',
  'contentUrl',
  'delivery',
  'expiresAt',
  'filePath',
  'filename',
  'headers',
  'maxFileSize',
  'method',
  'ticket',
  'uploadId',
  'uploadUrl',
];

/** Makes one call on its own connection. */
export function call(
  url: string,
  { method = 'POST', headers = {}, body = '', chunked = false }: Call,
): Promise<Reply> {
  const content = Buffer.isBuffer(body) ? body : Buffer.from(body);
  const length: Record<string, string> = chunked
    ? { 'Transfer-Encoding': 'chunked' }
    : { 'Content-Length': String(content.length) };
  return new Promise((resolve, reject) => {
    const req = http.request(url, { method, agent: false, headers: { ...length, ...headers } }, (res) => {
      const chunks: Buffer[] = [];
      res.on('data', (chunk: Buffer) => chunks.push(chunk));
      res.once('error', reject);
      res.once('end', () => {
        const text = Buffer.concat(chunks).toString();
        const isJson = res.headers['content-type']?.startsWith('application/json') === true;
        const json = (isJson ? JSON.parse(text) : {}) as StepBody;
        resolve({ status: res.statusCode ?? 0, headers: res.headers, text, body: json });
      });
    });
    req.once('error', reject);
    req.end(content);
  });
}

/** Sends a form to `POST /messages/upload`, or to what `path` adds to it. */
export function sendForm(
  testServer: TestServer,
  parts: readonly Part[],
  { path = '', ...more }: Call & { readonly path?: string } = {},
): Promise<Reply> {
  return call(`${testServer.api}/messages/upload${path}`, {
    body: encodeForm(parts),
    ...more,
    headers: { 'Content-Type': FORM_TYPE, ...more.headers },
  });
}

/** Text fields as parts, in their order. */
export function fields(values: Readonly<Record<string, string | number>>): Part[] {
  return Object.entries(values).map(([name, value]) => ({ name, content: String(value) }));
}

/** A file part in the field that files are taken in. */
export function file(filename: string, content: string | Buffer, contentType?: string): Part {
  return { name: 'fileAttachment', filename, content, ...(contentType !== undefined && { contentType }) };
}

/** The hash that the sandbox's record of a file shows for `content`. */
export function sha256(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

/** POSTs JSON, or what is to be taken for it, to an endpoint of the test server. */
export function postJson(
  testServer: TestServer,
  path: string,
  json: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Reply> {
  const body = typeof json === 'string' ? json : JSON.stringify(json);
  return call(`${testServer.api}${path}`, {
    headers: { 'Content-Type': 'application/json', ...headers },
    body,
  });
}

/** `POST /messages/upload/initiate` for a text file in the usual conversation, but for `fields`. */
export function initiate(
  testServer: TestServer,
  fields: Readonly<Record<string, unknown>> = {},
  headers: Readonly<Record<string, string>> = {},
): Promise<Reply> {
  const usual = {
    conversationId: testServer.sandbox.conversationId,
    filename: 'note.txt',
    contentType: 'text/plain',
  };
  return postJson(testServer, '/messages/upload/initiate', { ...usual, ...fields }, headers);
}

/** A signed URL and its ticket. */
export async function initiated(
  testServer: TestServer,
  fields: Readonly<Record<string, unknown>> = {},
  headers: Readonly<Record<string, string>> = {},
): Promise<StepBody> {
  const reply = await initiate(testServer, fields, headers);
  assert.equal(reply.status, 200, reply.text);
  return reply.body;
}

/** `PUT /messages/upload/content` with the ticket's own type, but for `more`. */
export function putContent(
  testServer: TestServer,
  { ticket, contentType }: Pick<StepBody, 'ticket' | 'contentType'>,
  body: string | Buffer,
  more: Call = {},
): Promise<Reply> {
  return call(`${testServer.api}/messages/upload/content`, {
    method: 'PUT',
    body,
    ...more,
    headers: { 'Upload-Ticket': ticket, 'Content-Type': contentType, ...more.headers },
  });
}

/** `POST /messages/upload/complete`. */
export function complete(
  testServer: TestServer,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Reply> {
  return postJson(testServer, '/messages/upload/complete', body, headers);
}

/** The requests that the sandbox has seen of one step. */
export function seen(
  { sandbox }: Pick<TestServer, 'sandbox'>,
  step: 'initiate' | 'complete' | 'put' | 'upload',
): RecordedRequest[] {
  return sandbox.requests.filter(({ service, method, path }) => {
    if (service === 'storage') return step === 'put' && method === 'PUT';
    return path === `/conversations/messages/upload${step === 'upload' ? '' : `/${step}`}`;
  });
}

/** Asserts an error response and gives its details. */
export function assertRejected(
  {
    status,
    body,
    text,
  }: Pick<Reply, 'status' | 'text'> & { readonly body: Pick<StepBody, 'code' | 'details'> },
  expectedStatus: number,
  code: string,
): Readonly<Record<string, unknown>> {
  assert.equal(`${status} ${body.code}`, `${expectedStatus} ${code}`, text);
  return body.details ?? {};
}

/** The JSON that Leadway got of a step; empty when it got none. */
export function jsonOf(
  testServer: TestServer,
  step: 'initiate' | 'complete',
  index = 0,
): Record<string, unknown> {
  return (seen(testServer, step)[index]?.json ?? {}) as Record<string, unknown>;
}
