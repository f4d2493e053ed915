import { createHash } from 'node:crypto';
import { Agent, type ClientRequest, type IncomingHttpHeaders, request } from 'node:http';
import type { Sandbox } from '../../sandbox/index.ts';

export interface Received {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
  // biome-ignore lint/suspicious/noExplicitAny: a response's JSON is whatever the test says it is.
  json: any;
}

export interface Sending {
  method?: string;
  headers?: Record<string, string>;
  body?: string | Buffer;
  agent?: Agent;
}

/** Resolves with the whole response; rejects with the connection's error. */
export function received(req: ClientRequest): Promise<Received> {
  return new Promise((resolve, reject) => {
    req.on('error', reject);
    req.on('response', (res) => {
      const pieces: Buffer[] = [];
      res.on('data', (piece: Buffer) => pieces.push(piece));
      res.on('error', reject);
      res.on('end', () => {
        const text = Buffer.concat(pieces).toString();
        let json: unknown;
        try {
          json = JSON.parse(text);
        } catch {
          json = undefined;
        }
        resolve({ status: res.statusCode ?? 0, headers: res.headers, text, json });
      });
    });
  });
}

/** Begins a request on its own connection; the client writes the body. */
export function begin(url: string, { method = 'GET', headers = {}, agent }: Sending = {}): ClientRequest {
  // A kept-alive connection, as most clients have, but not one shared with another test.
  return request(url, { method, headers, agent: agent ?? new Agent({ keepAlive: true, maxSockets: 1 }) });
}

export async function send(url: string, options: Sending = {}): Promise<Received> {
  const own = new Agent({ keepAlive: true });
  try {
    const req = begin(url, { agent: own, ...options });
    const response = received(req);
    req.end(options.body);
    return await response;
  } finally {
    own.destroy();
  }
}

export const BOUNDARY = '----sandboxtest0123456789';

export function field(name: string, value: string): string {
  return `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
}

export function file(
  name: string,
  contents: Buffer | string,
  type = 'image/png',
  of = 'fileAttachment',
): Buffer {
  const head = `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${of}"; filename="${name}"\r\nContent-Type: ${type}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), Buffer.from(contents), Buffer.from('\r\n')]);
}

export function form(...parts: (string | Buffer)[]): Buffer {
  return Buffer.concat([...parts, `--${BOUNDARY}--\r\n`].map((part) => Buffer.from(part)));
}

export function apiHeaders(sandbox: Sandbox, more: Record<string, string> = {}): Record<string, string> {
  return {
    Authorization: `Bearer ${sandbox.token}`,
    Version: '2021-07-28',
    Accept: 'application/json',
    ...more,
  };
}

export const MULTIPART = { 'Content-Type': `multipart/form-data; boundary=${BOUNDARY}` };

export function ids(sandbox: Sandbox, more: Record<string, string> = {}): string {
  const { conversationId, contactId, locationId } = sandbox;
  return Object.entries({ conversationId, contactId, locationId, ...more })
    .map(([name, value]) => field(name, value))
    .join('');
}

export function upload(
  sandbox: Sandbox,
  body: Buffer,
  headers: Record<string, string> = {},
): Promise<Received> {
  return send(`${sandbox.url}/conversations/messages/upload`, {
    method: 'POST',
    headers: apiHeaders(sandbox, { ...MULTIPART, ...headers }),
    body,
  });
}

export function postJson(sandbox: Sandbox, path: string, json: unknown): Promise<Received> {
  return send(`${sandbox.url}/conversations/messages${path}`, {
    method: 'POST',
    headers: apiHeaders(sandbox, { 'Content-Type': 'application/json' }),
    body: JSON.stringify(json),
  });
}

export function initiate(sandbox: Sandbox, more: Record<string, unknown> = {}): Promise<Received> {
  const { locationId, conversationId } = sandbox;
  return postJson(sandbox, '/upload/initiate', {
    locationId,
    conversationId,
    filename: 'note.txt',
    contentType: 'text/plain',
    channel: 'SMS',
    ...more,
  });
}

export function put(
  url: string,
  body: string | Buffer,
  headers: Record<string, string> = {},
): Promise<Received> {
  return send(url, { method: 'PUT', headers: { 'Content-Type': 'text/plain', ...headers }, body });
}

export function sha256(bytes: Buffer | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}
