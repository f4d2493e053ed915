import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { ErrorBody } from '../../../server/errors/response.ts';

/** A response as it came over the wire. */
export interface WireResponse {
  readonly status: number;
  /** By name in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** The body as an error of the contract. */
  readonly error: ErrorBody;
}

/** A bare connection: sends any bytes and reads responses strictly by their `Content-Length` or chunks. */
export class Wire implements Disposable {
  readonly socket: Socket;
  /** Resolves when the connection is gone. */
  readonly closed: Promise<void>;
  #received = '';
  #changed = Promise.withResolvers<void>();

  constructor(socket: Socket) {
    this.socket = socket;
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.#tell();
        resolve();
      });
    });
    socket.on('error', () => {}); // a reset ends the conversation like any other end
    socket.on('data', (chunk: Buffer) => {
      this.#received += chunk.toString('latin1');
      this.#tell();
    });
  }

  /** Bytes that came and were not read as a response yet. */
  get rest(): string {
    return this.#received;
  }

  send(bytes: string | Buffer): void {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  }

  /** The next final response; `hasBody` false reads the response to a HEAD. */
  async response({ hasBody = true } = {}): Promise<WireResponse> {
    for (;;) {
      const parsed = parse(this.#received, hasBody);
      if (parsed !== null) {
        this.#received = this.#received.slice(parsed.length);
        if (parsed.response.status >= 200) return parsed.response;
        continue;
      }
      if (this.socket.destroyed) {
        throw new Error(`the connection ended with ${JSON.stringify(this.#received)}`);
      }
      await this.#changed.promise;
    }
  }

  /** Resolves when the status line of an interim response has come. */
  async interim(): Promise<void> {
    while (!this.#received.startsWith('HTTP/1.1 100')) await this.#changed.promise;
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

/** Opens a bare connection to `url` and sends `bytes`. */
export async function dial(url: string, bytes: string | Buffer = ''): Promise<Wire> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port), noDelay: true });
  await once(socket, 'connect');
  const wire = new Wire(socket);
  wire.send(bytes);
  return wire;
}

function parse(received: string, hasBody: boolean): { response: WireResponse; length: number } | null {
  const end = received.indexOf('\r\n\r\n');
  if (end === -1) return null;
  const [statusLine = '', ...lines] = received.slice(0, end).split('\r\n');
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(statusLine)?.[1]);
  if (!status) throw new Error(`not a status line: ${JSON.stringify(statusLine)}`);
  const headers = Object.fromEntries(
    lines.map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
  const begin = end + 4;
  const size = status < 200 || status === 204 || !hasBody ? 0 : Number(headers['content-length']);
  if (Number.isNaN(size)) throw new Error('a response without Content-Length');
  if (received.length < begin + size) return null;
  const body = Buffer.from(received.slice(begin, begin + size), 'latin1').toString();
  const response = {
    status,
    headers,
    body,
    get error() {
      return JSON.parse(body) as ErrorBody;
    },
  };
  return { response, length: begin + size };
}
