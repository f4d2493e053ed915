import { once } from 'node:events';
import type { IncomingHttpHeaders } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { House } from './house.ts';
import { FORM_TYPE } from './multipart.ts';
import { type Answer, toAnswer } from './send-upload.ts';

/** A caller that speaks HTTP byte by byte, so that it can do what no client library does. */
export class RawCaller implements Disposable {
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

  /** The answer that came last, read whole; interim ones such as 100 are passed over. */
  async answer(): Promise<Answer> {
    let answer: Answer | null = null;
    await this.until(() => {
      answer = parseAnswer(this.#received);
      return answer !== null;
    });
    if (answer === null) throw new Error(`no answer came, only ${JSON.stringify(this.received)}`);
    return answer;
  }

  /** Cuts the connection as a caller who leaves does. */
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

/** Connects to a house. */
export async function connectTo(house: House): Promise<RawCaller> {
  const { hostname, port } = new URL(house.url);
  const socket = connect({ host: hostname, port: Number(port), noDelay: true });
  await once(socket, 'connect');
  return new RawCaller(socket);
}

/** Connects and sends the head of an upload; chunked when `contentLength` is null. */
export async function beginUpload(
  house: House,
  contentLength: number | null,
  headers: readonly string[] = [],
  query = '',
): Promise<RawCaller> {
  const caller = await connectTo(house);
  const length = contentLength === null ? 'Transfer-Encoding: chunked' : `Content-Length: ${contentLength}`;
  const lines = [
    `POST ${new URL(house.api).pathname}/messages/upload${query} HTTP/1.1`,
    'Host: localhost',
    `Content-Type: ${FORM_TYPE}`,
    length,
    ...headers,
  ];
  await caller.send(`${lines.join('\r\n')}\r\n\r\n`);
  return caller;
}

function parseAnswer(received: Buffer): Answer | null {
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
    return rest.length < length ? null : toAnswer(status, headers, rest.subarray(0, length));
  }
}
