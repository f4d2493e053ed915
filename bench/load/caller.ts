import { connect, type Socket } from 'node:net';

/** An answer, as far as it is looked at. */
export interface Answer {
  readonly status: number;
  readonly text: string;
}

/** One keep-alive connection of a caller: a bare socket, much cheaper than what is measured. */
export class Caller implements Disposable {
  /** Settles when the connection is gone. */
  readonly closed: Promise<void>;
  readonly #socket: Socket;
  #received = '';
  #waiting: PromiseWithResolvers<Answer> | null = null;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => this.#onData(text));
    socket.on('error', (error) => this.#waiting?.reject(error));
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.#waiting?.reject(new Error('the connection was closed'));
        resolve();
      });
    });
  }

  /** @throws Error of the socket. */
  static connect(port: number): Promise<Caller> {
    const { promise, resolve, reject } = Promise.withResolvers<Caller>();
    const socket = connect(port, '127.0.0.1', () => {
      socket.off('error', reject);
      resolve(new Caller(socket));
    });
    socket.once('error', reject);
    return promise;
  }

  /** Sends a whole request in one go; resolves when the whole answer is there. */
  exchange(head: Buffer, body: Buffer): Promise<Answer> {
    const answer = this.expectAnswer();
    this.#socket.cork();
    this.#socket.write(head);
    this.#socket.write(body);
    this.#socket.uncork();
    return answer;
  }

  /** The next answer; what it answers is sent by {@link write}. */
  expectAnswer(): Promise<Answer> {
    this.#received = '';
    this.#waiting = Promise.withResolvers();
    return this.#waiting.promise;
  }

  /** Whether more may be written now. */
  get isWritable(): boolean {
    return !this.#socket.destroyed && this.#socket.writable && !this.#socket.writableNeedDrain;
  }

  /** Sends more bytes; resolves when the kernel has taken them or the connection is gone. */
  write(bytes: Buffer): Promise<void> {
    return new Promise((resolve) => {
      if (this.#socket.destroyed || !this.#socket.writable) resolve();
      else this.#socket.write(bytes, () => resolve());
    });
  }

  [Symbol.dispose](): void {
    this.#waiting = null;
    this.#socket.destroy();
  }

  #onData(text: string): void {
    this.#received += text;
    const endOfHead = this.#received.indexOf('\r\n\r\n');
    if (endOfHead === -1) return;
    const length = /\r\ncontent-length: (\d+)/i.exec(this.#received)?.[1];
    if (length === undefined) {
      this.#waiting?.reject(new Error('an answer without a length'));
      return;
    }
    const end = endOfHead + 4 + Number(length);
    if (this.#received.length < end) return;
    const status = Number(this.#received.slice('HTTP/1.1 '.length, 'HTTP/1.1 '.length + 3));
    this.#waiting?.resolve({ status, text: this.#received });
  }
}

/** @throws Error with the answer, unless it is 200. */
export function assertOk({ status, text }: Answer): void {
  if (status !== 200) throw new Error(text.slice(0, 500));
}
