import http, { type IncomingHttpHeaders } from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import type { Readable, Writable } from 'node:stream';
import { type ApiResponse, toResponse } from '../helpers/send-upload.ts';

/** What the client speaks to the proxy. */
export const TRANSPORTS = ['HTTP/1.1', 'HTTP/1.1 with TLS', 'HTTP/2 with TLS'] as const;
export type Transport = (typeof TRANSPORTS)[number];

/** Where a request goes. */
export interface Target {
  readonly url: string;
  /** The certificate to trust; null without TLS. */
  readonly ca: string | null;
}

/** A request whose body is sent to its end, whatever the response says. */
export interface Sending {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The whole body, or its pieces as they become ready. */
  readonly body: Buffer | AsyncIterable<Buffer>;
  /** Cuts the connection. */
  readonly signal?: AbortSignal;
}

/**
 * POSTs as a browser does: sends the whole body, and reads the response whenever it comes. Rejects if the connection
 * breaks before the whole response is there.
 */
export function send(target: Target, transport: Transport, sending: Sending): Promise<ApiResponse> {
  return transport === 'HTTP/2 with TLS' ? sendHttp2(target, sending) : sendHttp1(target, sending);
}

/** The body in the pieces in which a browser reads a file. */
function* piecesOf(body: Buffer): Generator<Buffer> {
  for (let at = 0; at < body.length; at += 64 * 1024) yield body.subarray(at, at + 64 * 1024);
}

function sendHttp1({ url, ca }: Target, { path, headers, body, signal }: Sending): Promise<ApiResponse> {
  const { promise, resolve, reject } = Promise.withResolvers<ApiResponse>();
  const { request, Agent } = ca === null ? http : https;
  // Kept alive, so that the client does not end the connection with the response.
  const agent = new Agent({ keepAlive: true });
  const options = { method: 'POST', agent, headers, ...(ca !== null && { ca }), ...(signal && { signal }) };
  const req = request(`${url}${path}`, options, (res) => {
    collect(res, (content) => resolve(toResponse(res.statusCode ?? 0, res.headers, content)), reject);
  });
  req.on('error', reject);
  pump(Buffer.isBuffer(body) ? piecesOf(body) : body, req).catch(reject);
  return promise.finally(() => {
    req.destroy();
    agent.destroy();
  });
}

function sendHttp2({ url, ca }: Target, { path, headers, body, signal }: Sending): Promise<ApiResponse> {
  const { promise, resolve, reject } = Promise.withResolvers<ApiResponse>();
  const session = http2.connect(url, ca === null ? {} : { ca });
  session.on('error', reject);
  const stream = session.request(
    { ':method': 'POST', ':path': path, ...headers },
    { endStream: false, ...(signal && { signal }) },
  );
  stream.on('error', reject);
  stream.once('response', (fields) => {
    const responseHeaders = fields as IncomingHttpHeaders;
    collect(
      stream,
      (content) => resolve(toResponse(Number(fields[':status']), responseHeaders, content)),
      reject,
    );
  });
  stream.once('close', () => reject(new Error(`the stream ended with code ${stream.rstCode}`)));
  pump(Buffer.isBuffer(body) ? piecesOf(body) : body, stream).catch(reject);
  return promise.finally(() => session.destroy());
}

/** Writes the body until the other side wants no more of it. */
async function pump(body: Iterable<Buffer> | AsyncIterable<Buffer>, to: Writable): Promise<void> {
  const closed = new Promise<void>((resolve) => to.once('close', resolve));
  for await (const piece of body) {
    // With HTTP/2 a server may tell the client to stop (RFC 9113, section 8.1): Node then ends the writable side.
    if (to.writableEnded || to.destroyed) return;
    if (!to.write(piece))
      await Promise.race([closed, new Promise<void>((resolve) => to.once('drain', resolve))]);
  }
  to.end();
}

function collect(stream: Readable, onEnd: (content: Buffer) => void, onError: (error: Error) => void): void {
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  stream.once('end', () => onEnd(Buffer.concat(chunks)));
  stream.once('error', onError);
}
