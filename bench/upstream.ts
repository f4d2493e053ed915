// Stands in for Leadway, in a separate process: takes whole requests, counts their bytes and responds with 200.
import { createHash } from 'node:crypto';
import { createServer, type Server, type Socket } from 'node:net';
import process from 'node:process';
import { createServer as createTlsServer } from 'node:tls';
import { systemNowMs } from './machine.ts';

/** What the upstream is asked to do. */
export type UpstreamCommand =
  | { readonly command: 'count' }
  /** To report the next request. */
  | { readonly command: 'capture' }
  /** To read no faster than this from each connection. */
  | { readonly command: 'pace'; readonly bytesPerSecond: number | null };

/** What the upstream reports. */
export type UpstreamReport =
  | { readonly kind: 'listening'; readonly port: number; readonly tlsPort: number | null }
  | Counted
  | { readonly kind: 'done' }
  | { readonly kind: 'captured'; readonly request: CapturedRequest };

/** Complete requests since the last count. */
export interface Counted {
  readonly kind: 'counted';
  readonly requests: number;
  readonly bodyBytes: number;
  /** When the last request was complete, by the clock that all processes share. */
  readonly lastByteAtMs: number;
}

/** A complete request. */
export interface CapturedRequest {
  readonly authorization: string | null;
  /** The only file of the form; null if the body is not a form. */
  readonly file: { readonly bytes: number; readonly sha256: string } | null;
}

/** Reads the body of one request, with a Content-Length or chunked (RFC 9112, section 7.1), and counts its bytes. */
export class BodyReader {
  bytes = 0;
  /** What is still to come of the body or of the current chunk; -1 between chunks. */
  #left: number;
  readonly #isChunked: boolean;
  #sizeLine = '';
  #sawLast = false;

  constructor(head: string) {
    this.#isChunked = /\r\ntransfer-encoding: *chunked/i.test(head);
    this.#left = this.#isChunked ? -1 : Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
  }

  /** Adds the content to `into`, if given. @returns whether the body is complete. */
  take(data: Buffer, into: Buffer[] | null): boolean {
    if (this.#left === 0) return true;
    let at = 0;
    while (at < data.length) {
      if (this.#left === -1) {
        const lineEnd = data.indexOf(10, at);
        this.#sizeLine += data.toString('latin1', at, lineEnd === -1 ? data.length : lineEnd + 1);
        if (lineEnd === -1) return false;
        at = lineEnd + 1;
        if (this.#isLastLine()) return true;
      } else {
        const end = Math.min(data.length, at + this.#left);
        into?.push(data.subarray(at, end));
        this.bytes += end - at;
        this.#left -= end - at;
        at = end;
        if (this.#left === 0 && !this.#isChunked) return true;
        if (this.#left === 0) this.#left = -1;
      }
    }
    return false;
  }

  /** Reads a line between chunks: the end of one, or the size of the next. */
  #isLastLine(): boolean {
    const line = this.#sizeLine.trim();
    this.#sizeLine = '';
    if (line === '') return this.#sawLast;
    const size = Number.parseInt(line, 16);
    if (!(size >= 0)) throw new Error(`not a chunk size: ${line}`);
    if (size === 0) this.#sawLast = true;
    else this.#left = size;
    return false;
  }
}

const UPLOADED = toResponse({
  uploadedFiles: { 'clip.mp4': 'https://storage.example.com/clip.mp4' },
  traceId: 'bench',
});
const FILE_PATH =
  'location/benchLocation0000001/conversations/benchConversation001/3f0c2c5e-8a55-4b6e-9d0a-1f5c7f0e5d11.mp4';
const INITIATED = toResponse({
  uploadUrl:
    `https://storage.googleapis.com/example-attachments/${FILE_PATH}?X-Goog-Algorithm=GOOG4-RSA-SHA256` +
    `&X-Goog-Credential=bench%40example.iam.gserviceaccount.com%2F20260101%2Fauto%2Fstorage%2Fgoog4_request` +
    `&X-Goog-Date=20260101T000000Z&X-Goog-Expires=900&X-Goog-SignedHeaders=content-type%3Bhost` +
    `&X-Goog-Signature=${'0123456789abcdef'.repeat(32)}`,
  uploadId: '3f0c2c5e-8a55-4b6e-9d0a-1f5c7f0e5d11',
  filePath: FILE_PATH,
  expiresAt: Date.now() + 24 * 60 * 60_000,
  maxFileSize: 5 * 1024 ** 2,
});

function toResponse(json: object): Buffer {
  const body = JSON.stringify(json);
  return Buffer.from(
    `HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\n` +
      `Content-Length: ${body.length}\r\n\r\n${body}`,
  );
}

/** Our server calls another path too, to see whether its token is good. */
const UPLOAD_PATH = '/conversations/messages/upload';
const HEAD_END = '\r\n\r\n';

if (import.meta.main) await run();

async function run(): Promise<void> {
  let requests = 0;
  let bodyBytes = 0;
  let lastByteAtMs = 0;
  let isCapturing = false;
  let bytesPerSecond: number | null = null;

  const { TLS_KEY: key, TLS_CERT: cert } = process.env;
  const report = (message: UpstreamReport): void => void process.send?.(message);
  process.on('message', (message: UpstreamCommand) => report(obey(message)));
  process.once('disconnect', () => process.exit());
  report({
    kind: 'listening',
    port: await listen(createServer({ noDelay: true }, serve)),
    tlsPort: key && cert ? await listen(createTlsServer({ key, cert, noDelay: true }, serve)) : null,
  });

  function obey(message: UpstreamCommand): UpstreamReport {
    if (message.command === 'count') {
      const counted = { kind: 'counted', requests, bodyBytes, lastByteAtMs } as const;
      requests = 0;
      bodyBytes = 0;
      return counted;
    }
    if (message.command === 'capture') isCapturing = true;
    else bytesPerSecond = message.bytesPerSecond;
    return { kind: 'done' };
  }

  function serve(socket: Socket): void {
    let head = '';
    let body: BodyReader | null = null;
    let captured: Buffer[] | null = null;

    socket.on('error', () => {}); // a rejected upload is cut
    socket.on('data', (data: Buffer) => {
      if (bytesPerSecond !== null) pauseFor(socket, (data.length / bytesPerSecond) * 1000);
      const content = body === null ? beginRequest(data) : data;
      if (body?.take(content, captured) !== true) return;
      const [, target = ''] = head.slice(0, head.indexOf('\r\n')).split(' ');
      if (target.includes(UPLOAD_PATH)) {
        lastByteAtMs = systemNowMs();
        requests += 1;
        bodyBytes += body.bytes;
      }
      if (captured !== null) {
        isCapturing = false;
        report({ kind: 'captured', request: readRequest(head, Buffer.concat(captured)) });
      }
      head = '';
      body = null;
      captured = null;
      socket.write(target.endsWith('/initiate') ? INITIATED : UPLOADED);
    });

    /** @returns the bytes after the head, once it is there. */
    function beginRequest(data: Buffer): Buffer {
      const before = head.length;
      head += data.toString('latin1');
      const end = head.indexOf(HEAD_END);
      if (end === -1) return data.subarray(data.length);
      head = head.slice(0, end);
      body = new BodyReader(head);
      captured = isCapturing && head.includes(UPLOAD_PATH) ? [] : null;
      return data.subarray(end + HEAD_END.length - before);
    }
  }
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(address !== null && typeof address === 'object' ? address.port : 0);
    });
  });
}

function pauseFor(socket: Socket, ms: number): void {
  socket.pause();
  setTimeout(() => socket.resume(), ms);
}

function readRequest(head: string, body: Buffer): CapturedRequest {
  return {
    authorization: /\r\nauthorization: *([^\r\n]+)/i.exec(head)?.[1] ?? null,
    file: readFile(head, body),
  };
}

function readFile(head: string, body: Buffer): CapturedRequest['file'] {
  const boundary = /\r\ncontent-type: *multipart\/form-data; *boundary="?([^"\r\n;]+)/i.exec(head)?.[1];
  if (boundary === undefined) return null;
  const disposition = body.indexOf('; filename="');
  const begin = body.indexOf('\r\n\r\n', disposition) + 4;
  const end = body.indexOf(`\r\n--${boundary}`, begin);
  if (disposition === -1 || end === -1) throw new Error('the upstream got a form without a whole file');
  const file = body.subarray(begin, end);
  return { bytes: file.length, sha256: createHash('sha256').update(file).digest('hex') };
}
