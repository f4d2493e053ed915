import { connect, type Socket } from 'node:net';

/** A response, as far as the load generator reads it. */
export interface Response {
  readonly status: number;
  readonly text: string;
}

/** A keep-alive connection of the load generator: a bare socket, much cheaper than what is measured. */
export class Client implements Disposable {
  /** Settles when the connection is closed. */
  readonly closed: Promise<void>;
  readonly #socket: Socket;
  #received = '';
  #pending: PromiseWithResolvers<Response> | null = null;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => this.#onData(text));
    socket.on('error', (error) => this.#pending?.reject(error));
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.#pending?.reject(new Error('the connection was closed'));
        resolve();
      });
    });
  }

  /** @throws Error of the socket. */
  static connect(port: number): Promise<Client> {
    const { promise, resolve, reject } = Promise.withResolvers<Client>();
    const socket = connect(port, '127.0.0.1', () => {
      socket.off('error', reject);
      resolve(new Client(socket));
    });
    socket.once('error', reject);
    return promise;
  }

  /** Sends a whole request at once and resolves to its response. */
  send(head: Buffer, body: Buffer): Promise<Response> {
    const response = this.response();
    this.#socket.cork();
    this.#socket.write(head);
    this.#socket.write(body);
    this.#socket.uncork();
    return response;
  }

  /** The next response, to a request that {@link write} sends. */
  response(): Promise<Response> {
    this.#received = '';
    this.#pending = Promise.withResolvers();
    return this.#pending.promise;
  }

  get isWritable(): boolean {
    return !this.#socket.destroyed && this.#socket.writable && !this.#socket.writableNeedDrain;
  }

  /** Resolves when the kernel has the bytes or the connection is closed. */
  write(bytes: Buffer): Promise<void> {
    return new Promise((resolve) => {
      if (this.#socket.destroyed || !this.#socket.writable) resolve();
      else this.#socket.write(bytes, () => resolve());
    });
  }

  [Symbol.dispose](): void {
    this.#pending = null;
    this.#socket.destroy();
  }

  #onData(text: string): void {
    this.#received += text;
    const headEnd = this.#received.indexOf('\r\n\r\n');
    if (headEnd === -1) return;
    const length = /\r\ncontent-length: (\d+)/i.exec(this.#received)?.[1];
    if (length === undefined) {
      this.#pending?.reject(new Error('a response without Content-Length'));
      return;
    }
    if (this.#received.length < headEnd + 4 + Number(length)) return;
    const status = Number(this.#received.slice('HTTP/1.1 '.length, 'HTTP/1.1 '.length + 3));
    this.#pending?.resolve({ status, text: this.#received });
  }
}

/** @throws Error with the response, unless it is 200. */
export function assertOk({ status, text }: Response): void {
  if (status !== 200) throw new Error(text.slice(0, 500));
}
