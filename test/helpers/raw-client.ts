import { once } from 'node:events';
import type { IncomingHttpHeaders } from 'node:http';
import { connect, type Socket } from 'node:net';
import { FORM_TYPE } from './multipart.ts';
import { type ApiResponse, toResponse } from './send-upload.ts';
import type { TestServer } from './test-server.ts';

/** A client that speaks HTTP byte by byte, so that it can do what no client library does. */
export class RawClient implements Disposable {
  readonly socket: Socket;
  /** Settles when the connection is gone in both directions. */
  readonly closed: Promise<void>;
  #received = Buffer.alloc(0);
  #changed = Promise.withResolvers<void>();

  constructor(socket: Socket) {
    this.socket = socket;
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.#tell();
        resolve();
      });
    });
    // A reset is an ordinary end of such a conversation.
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#tell();
    });
  }

  /** Everything that came so far. */
  get received(): string {
    return this.#received.toString('latin1');
  }

  /** Sends bytes; resolves when the kernel took them or the connection is gone. */
  send(bytes: string | Buffer): Promise<void> {
    return new Promise((resolve) => {
      if (this.socket.destroyed) resolve();
      else this.socket.write(bytes, () => resolve());
    });
  }

  /** Waits until `condition` holds for what came; false when the connection ended first. */
  async until(condition: (received: string) => boolean): Promise<boolean> {
    while (!condition(this.received)) {
      if (this.socket.destroyed) return false;
      await this.#changed.promise;
    }
    return true;
  }

  /** The response that came last, read whole; interim ones such as 100 are passed over. */
  async response(): Promise<ApiResponse> {
    let response: ApiResponse | null = null;
    await this.until(() => {
      response = parseResponse(this.#received);
      return response !== null;
    });
    if (response === null) throw new Error(`no response came, only ${JSON.stringify(this.received)}`);
    return response;
  }

  /** Cuts the connection as a client that disconnects does. */
  leave(): void {
    this.socket.destroy();
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }

  #tell(): void {
    const { resolve } = this.#changed;
    this.#changed = Promise.withResolvers();
    resolve();
  }
}

/** Connects to a test server. */
export async function connectTo(testServer: TestServer): Promise<RawClient> {
  const { hostname, port } = new URL(testServer.url);
  const socket = connect({ host: hostname, port: Number(port), noDelay: true });
  await once(socket, 'connect');
  return new RawClient(socket);
}

/** Connects and sends the head of an upload; chunked when `contentLength` is null. */
export async function beginUpload(
  testServer: TestServer,
  contentLength: number | null,
  headers: readonly string[] = [],
  query = '',
): Promise<RawClient> {
  const client = await connectTo(testServer);
  const length = contentLength === null ? 'Transfer-Encoding: chunked' : `Content-Length: ${contentLength}`;
  const lines = [
    `POST ${new URL(testServer.api).pathname}/messages/upload${query} HTTP/1.1`,
    'Host: localhost',
    `Content-Type: ${FORM_TYPE}`,
    length,
    ...headers,
  ];
  await client.send(`${lines.join('\r\n')}\r\n\r\n`);
  return client;
}

function parseResponse(received: Buffer): ApiResponse | null {
  let rest = received;
  for (;;) {
    const end = rest.indexOf('\r\n\r\n');
    if (end === -1) return null;
    const [statusLine = '', ...lines] = rest.toString('latin1', 0, end).split('\r\n');
    const status = Number(statusLine.split(' ')[1]);
    rest = rest.subarray(end + 4);
    if (status < 200) continue;
    const headers: IncomingHttpHeaders = Object.fromEntries(
      lines.map((line) => {
        const colon = line.indexOf(':');
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
      }),
    );
    const length = Number(headers['content-length'] ?? 0);
    return rest.length < length ? null : toResponse(status, headers, rest.subarray(0, length));
  }
}
