import type { IncomingHttpHeaders } from 'node:http';
import type { Socket } from 'node:net';
import { Client, type Dispatcher } from 'undici';
import { BodyOverflowError } from '../http/body.ts';
import { joinBuffers } from '../http/buffers.ts';

/** A request whose body is known in full. */
export interface ExchangeRequest {
  readonly method: 'GET' | 'POST' | 'OPTIONS';
  /** Its origin is where the request goes. */
  readonly url: URL;
  /** Path and query; a whole URL for a proxy. */
  readonly path: string;
  readonly headers: readonly string[];
  readonly body: Buffer | string | null;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** `pooled` reuses an idle connection if there is one; `fresh` opens a connection for this request alone. */
  readonly connection: 'pooled' | 'fresh';
  /** The largest response body that is read, in bytes. */
  readonly maxBytes: (status: number) => number;
}

/** A response, read whole. */
export interface ExchangeResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Null when it is larger than allowed. */
  readonly body: Buffer | null;
  /** Whether the kernel has every byte of the request. Until then it may read the memory of the request's body. */
  readonly hasSentAll: boolean;
}

/** No usable response came. */
export class ExchangeError extends Error {
  override readonly name = 'ExchangeError';
  /** Without a connection, nothing of the request can have arrived. */
  readonly wasConnected: boolean;
  /**
   * The request went out on a reused connection that ended before any byte of a response. The server was closing that
   * connection while it was idle and never looked at the request, so it may be sent once more.
   */
  readonly isStale: boolean;

  constructor(cause: unknown, state: { readonly wasConnected: boolean; readonly isStale: boolean }) {
    super('the request failed', { cause });
    this.wasConnected = state.wasConnected;
    this.isStale = state.isStale;
  }
}

/** Opens a connection to the origin of `url`. */
export type OpenSocket = (
  url: URL,
  callback: (...args: [error: Error, socket: null] | [error: null, socket: Socket]) => void,
) => void;

/** A free connection is closed after four seconds, before servers usually do. */
const IDLE_TIMEOUT_MS = 4_000;
/** How many are kept for each origin, with or without a socket. */
const MAX_IDLE = 256;

/** Connections for requests whose bodies are known in full. */
export class ExchangePool implements Disposable {
  readonly #openSocket: OpenSocket;
  /** By origin; the one that was used last is at the end. */
  readonly #idle = new Map<string, PooledConnection[]>();
  #isDisposed = false;

  constructor(openSocket: OpenSocket) {
    this.#openSocket = openSocket;
  }

  /** @throws ExchangeError when no whole response comes. */
  async exchange(request: ExchangeRequest): Promise<ExchangeResponse> {
    const { url } = request;
    if (request.connection === 'fresh') {
      using connection = new PooledConnection(url, this.#openSocket);
      return await connection.exchange(request);
    }
    const idle = this.#idleOf(url.origin);
    const connection = idle.pop() ?? new PooledConnection(url, this.#openSocket);
    try {
      return await connection.exchange(request);
    } finally {
      this.#putBack(connection, idle);
    }
  }

  /**
   * A TLS socket reports a finished write in a later tick, often after the response. Unsent bytes would block the next
   * request.
   */
  #putBack(connection: PooledConnection, idle: PooledConnection[], isLater = false): void {
    if (connection.isClosed) return;
    if (connection.hasSentAll && !this.#isDisposed && idle.length < MAX_IDLE) idle.push(connection);
    else if (isLater || this.#isDisposed) connection[Symbol.dispose]();
    else setImmediate(() => this.#putBack(connection, idle, true));
  }

  #idleOf(origin: string): PooledConnection[] {
    const known = this.#idle.get(origin);
    if (known !== undefined) return known;
    const idle: PooledConnection[] = [];
    this.#idle.set(origin, idle);
    return idle;
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true;
    for (const connection of [...this.#idle.values()].flat()) connection[Symbol.dispose]();
  }
}

const CONTINUE = Buffer.from('HTTP/1.1 100');

/**
 * Skips an interim 100 that was not asked for, as a client must (RFC 9110, section 15.2). undici ends the connection
 * there, and nobody knows what became of the request.
 */
function skipContinue(socket: Socket, isHeadDue: () => boolean): void {
  const read = socket.read.bind(socket);
  socket.read = (size?: number): Buffer | null => {
    let chunk: Buffer | null = read(size);
    while (chunk !== null && isHeadDue() && chunk.subarray(0, CONTINUE.length).equals(CONTINUE)) {
      const end = chunk.indexOf('\r\n\r\n');
      if (end === -1) break;
      chunk = end + 4 < chunk.length ? chunk.subarray(end + 4) : read(size);
    }
    return chunk;
  };
}

/** A client of undici. It opens a socket when it needs one, and another when that was closed while it was idle. */
class PooledConnection implements Disposable {
  readonly #client: Client;
  socket: Socket | null = null;
  /** How many requests the socket has been used for. */
  uses = 0;
  /** Whether a response has yet to begin. */
  isHeadDue = false;
  isClosed = false;

  constructor(url: URL, openSocket: OpenSocket) {
    this.#client = new Client(url.origin, {
      pipelining: 1,
      keepAliveTimeout: IDLE_TIMEOUT_MS,
      keepAliveMaxTimeout: IDLE_TIMEOUT_MS,
      connect: (_options, callback) =>
        openSocket(url, (...args) => {
          this.socket = args[1];
          this.uses = 0;
          if (args[1] !== null) skipContinue(args[1], () => this.isHeadDue);
          callback(...args);
        }),
    });
  }

  /** Whether the kernel has every byte that was written. */
  get hasSentAll(): boolean {
    return this.socket?.writableLength === 0;
  }

  exchange(request: ExchangeRequest): Promise<ExchangeResponse> {
    const { method, path, headers, body, timeoutMs } = request;
    const exchange = new Exchange(this, request);
    this.#client.dispatch(
      {
        method,
        path,
        headers: headers as string[],
        body,
        headersTimeout: timeoutMs,
        bodyTimeout: timeoutMs,
      },
      exchange,
    );
    return exchange.response;
  }

  [Symbol.dispose](): void {
    this.isClosed = true;
    this.#client.destroy().catch(() => {});
  }
}

/** One request and its response. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #connection: PooledConnection;
  readonly #request: ExchangeRequest;
  readonly #outcome = Promise.withResolvers<ExchangeResponse>();
  readonly #onAbort = (): void => this.#abort();
  readonly #chunks: Buffer[] = [];
  #bytes = 0;
  #controller: Dispatcher.DispatchController | null = null;
  #isReused = false;
  #bytesReadBefore = 0;
  #status = 0;
  #headers: IncomingHttpHeaders = {};

  constructor(connection: PooledConnection, request: ExchangeRequest) {
    this.#connection = connection;
    this.#request = request;
    request.signal.addEventListener('abort', this.#onAbort);
  }

  get response(): Promise<ExchangeResponse> {
    return this.#outcome.promise;
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    this.#isReused = this.#connection.uses > 0;
    this.#connection.uses += 1;
    this.#connection.isHeadDue = true;
    this.#bytesReadBefore = this.#connection.socket?.bytesRead ?? 0;
  }

  onResponseStart(_controller: unknown, status: number, headers: IncomingHttpHeaders): void {
    if (status < 200) return; // the response that counts comes after it
    this.#connection.isHeadDue = false;
    this.#status = status;
    this.#headers = headers;
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (this.#bytes <= this.#request.maxBytes(this.#status)) this.#chunks.push(chunk);
    else controller.abort(new BodyOverflowError('the response is too large'));
  }

  onResponseEnd(): void {
    const body = joinBuffers(this.#chunks);
    const { hasSentAll } = this.#connection;
    this.#settle();
    this.#outcome.resolve({ status: this.#status, headers: this.#headers, body, hasSentAll });
  }

  onResponseError(_controller: unknown, error: Error): void {
    this.#settle();
    const isStale = this.#isReused && this.#connection.socket?.bytesRead === this.#bytesReadBefore;
    this.#connection[Symbol.dispose](); // its client may wait for a connection that failed
    if (error instanceof BodyOverflowError) {
      this.#outcome.resolve({ status: this.#status, headers: this.#headers, body: null, hasSentAll: false });
    } else {
      this.#outcome.reject(new ExchangeError(error, { wasConnected: this.#controller !== null, isStale }));
    }
  }

  #abort(): void {
    // Not sent yet: nobody else uses or waits for this connection.
    if (this.#controller === null) this.#connection[Symbol.dispose]();
    else this.#controller.abort(this.#request.signal.reason);
  }

  #settle(): void {
    this.#request.signal.removeEventListener('abort', this.#onAbort);
  }
}
