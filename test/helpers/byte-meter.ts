import diagnostics from 'node:diagnostics_channel';
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { Duplex, Readable, Writable } from 'node:stream';

/** Where the sockets of a test server end, so that they can be told from those of the test. */
export interface MeteredPorts {
  /** What the test server listens on. */
  readonly testServer: number;
  readonly upstream: number;
}

/**
 * Counts what a test server does with bytes, while it is in use: how often it writes to the upstream, what it copies,
 * through how many streams bytes pass and how many it holds. Counts, not times: a busy machine changes none of
 * them. Whatever the test itself does with bytes meanwhile, beyond plain sockets, is counted too.
 */
export class ByteMeter implements Disposable {
  /** System calls that write to the upstream. */
  upstreamWrites = 0;
  /** Pieces that bodies came in from clients. */
  bodyChunks = 0;
  /** Bytes that were copied from one buffer into another, or into a string. */
  copiedBytes = 0;
  /** Bytes that were pushed into a readable or written into a writable of the test server, each time. */
  passedBytes = 0;
  /** The most that had come from clients and not gone to the upstream, in bytes. */
  mostHeldBytes = 0;
  readonly #ports: MeteredPorts;
  readonly #incoming = new Set<Socket>();
  /** Connections to the upstream, with the bytes that had gone before they were metered. */
  readonly #outgoing = new Map<Socket, number>();
  readonly #restore: (() => void)[] = [];

  constructor(ports: MeteredPorts) {
    this.#ports = ports;
    this.#noteIncoming();
    this.#countCopies();
    this.#countPasses();
    this.#countWrites();
  }

  /** Bytes that have come from clients so far. */
  get takenBytes(): number {
    return [...this.#incoming].reduce((sum, socket) => sum + socket.bytesRead, 0);
  }

  [Symbol.dispose](): void {
    for (const restore of this.#restore.reverse()) restore();
  }

  #noteIncoming(): void {
    const note = (message: unknown): void => {
      const { socket } = message as { readonly socket: Socket };
      if (socket.localPort === this.#ports.testServer) this.#incoming.add(socket);
    };
    diagnostics.subscribe('net.server.socket', note);
    this.#restore.push(() => diagnostics.unsubscribe('net.server.socket', note));
  }

  #countCopies(): void {
    const count = (bytes: number): void => {
      this.copiedBytes += bytes;
    };
    this.#wrap(Buffer, 'concat', (concat) => (list, length) => {
      const joined = concat.call(Buffer, list, length);
      count(joined.length);
      return joined;
    });
    this.#wrap(
      Buffer.prototype,
      'copy',
      (copy) =>
        function (this: Buffer, ...args: Parameters<Buffer['copy']>) {
          const bytes = copy.apply(this, args);
          count(bytes);
          return bytes;
        },
    );
    this.#wrap(
      Buffer.prototype,
      'toString',
      (decode) =>
        function (this: Buffer, ...args: Parameters<Buffer['toString']>) {
          const text = decode.apply(this, args);
          count(text.length);
          return text;
        },
    );
    const typedArray = Object.getPrototypeOf(Uint8Array.prototype) as Uint8Array;
    this.#wrap(
      typedArray,
      'set',
      (set) =>
        function (this: Uint8Array, source, offset) {
          count(source.length);
          set.call(this, source, offset);
        },
    );
    this.#wrap(
      typedArray,
      'slice',
      (slice) =>
        function (this: Uint8Array<ArrayBuffer>, ...args) {
          const sliced = slice.apply(this, args);
          count(sliced.byteLength);
          return sliced;
        },
    );
  }

  #countPasses(): void {
    const count = (stream: object, chunk: unknown): void => {
      if (!(chunk instanceof Uint8Array) || !this.#isOfTestServer(stream)) return;
      this.passedBytes += chunk.length;
      if (stream instanceof IncomingMessage && this.#incoming.has(stream.socket)) this.bodyChunks += 1;
      this.#noteHeld();
    };
    this.#wrap(
      Readable.prototype,
      'push',
      (push) =>
        function (this: Readable, chunk: unknown, ...args) {
          count(this, chunk);
          return push.call(this, chunk, ...args);
        },
    );
    // A duplex has its own reference to the same method.
    for (const { prototype } of [Writable, Duplex]) {
      this.#wrap(prototype, 'write', (write) => {
        const wrapped = function (this: Writable, chunk: unknown, ...args: unknown[]): boolean {
          count(this, chunk);
          return Reflect.apply(write, this, [chunk, ...args]) as boolean;
        };
        return wrapped as typeof write;
      });
    }
  }

  #countWrites(): void {
    const count = (socket: Socket, bytesBefore?: number): void => {
      if (socket.connecting) {
        socket.once('connect', () => count(socket, 0));
      } else if (socket.remotePort === this.#ports.upstream) {
        this.upstreamWrites += 1;
        // Not asked of every socket: Node can't tell it while a socket that was corked writes a single text.
        if (this.#outgoing.has(socket)) return;
        this.#outgoing.set(socket, bytesBefore ?? socket.bytesWritten);
      }
    };
    for (const name of ['_write', '_writev'] as const) {
      this.#wrap(Socket.prototype, name, (write) => {
        if (write === undefined) return write;
        const wrapped = function (this: Socket, ...args: unknown[]): void {
          count(this);
          Reflect.apply(write, this, args);
        };
        return wrapped as typeof write;
      });
    }
  }

  #noteHeld(): void {
    const gone = [...this.#outgoing].reduce(
      (sum, [socket, before]) => sum + socket.bytesWritten - socket.writableLength - before,
      0,
    );
    this.mostHeldBytes = Math.max(this.mostHeldBytes, this.takenBytes - gone);
  }

  #isOfTestServer(stream: object): boolean {
    const socket = stream instanceof IncomingMessage ? stream.socket : stream;
    if (!(socket instanceof Socket)) return true;
    return this.#incoming.has(socket) || socket.remotePort === this.#ports.upstream;
  }

  #wrap<Holder extends object, Name extends keyof Holder>(
    holder: Holder,
    name: Name,
    around: (original: Holder[Name]) => Holder[Name],
  ): void {
    const descriptor = Object.getOwnPropertyDescriptor(holder, name);
    const original = holder[name];
    Object.defineProperty(holder, name, { configurable: true, writable: true, value: around(original) });
    this.#restore.push(() => {
      if (descriptor === undefined) delete holder[name];
      else Object.defineProperty(holder, name, descriptor);
    });
  }
}
