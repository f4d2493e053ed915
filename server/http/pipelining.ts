import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { ByteProgress, sentBytes } from './byte-progress.ts';

/** Bounds of what one connection may have in flight. */
export interface PipeliningLimits {
  /** Requests that are handled at a time; the others wait, without a slot or a log line. */
  readonly maxHandled: number;
  /** Requests that may wait. A connection with more is closed after the responses to those that are handled. */
  readonly maxWaiting: number;
  /** How long a response may make no progress, in milliseconds. */
  readonly stallMs: number;
}

/**
 * Browsers do not pipeline and proxies hardly do, so eight serve every real client. One read of the socket, 64 KiB, may
 * bring up to 1,450 requests, and Node parses them all.
 */
export const PIPELINING_LIMITS: PipeliningLimits = { maxHandled: 8, maxWaiting: 100, stallMs: 30_000 };

/** How many bytes are read while requests wait, to notice a client that has disconnected. */
const MAX_READ_AHEAD = 128 * 1024;

/** A request and its response. */
export interface Exchange {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
}

type Handle = (req: IncomingMessage, res: ServerResponse) => void;

const CONNECTION = Symbol('connection');

type WithConnection = Socket & { [CONNECTION]?: Connection };

/**
 * Whether the work of a request on `socket` may run to its end after its client has disconnected. Of pipelined requests,
 * only those with an `Idempotency-Key` may: one connection could otherwise keep all slots of its client.
 */
export function mayRunOn(socket: WithConnection, hasKey: boolean): boolean {
  return hasKey || Connection.of(socket)?.isPipelined !== true;
}

/** What one connection has in flight: the requests that are handled, and those behind them that wait. */
export class Connection {
  readonly #socket: Socket;
  readonly #limits: PipeliningLimits;
  readonly #handle: Handle;
  /** Not a Set: the tables of a Set keep what was deleted from it alive until a full garbage collection. */
  readonly #handled: Exchange[] = [];
  #waiting: Exchange[] = [];
  #latest: Exchange | null = null;
  /** No further request of this connection is handled. */
  #isClosing = false;
  #closesAfterResponses = false;
  #isOverflowing = false;
  #isPipelined = false;
  /** Whether it reads although requests wait. */
  #isReadingAhead = false;
  /** The bytes read when the first request had to wait. */
  #pausedAtBytes = 0;
  readonly #idle: (() => void)[] = [];
  /** The bytes that the client has taken. */
  readonly #progress: ByteProgress;

  constructor(socket: WithConnection, handle: Handle, limits: PipeliningLimits) {
    this.#socket = socket;
    this.#handle = handle;
    this.#limits = limits;
    this.#progress = new ByteProgress(sentBytes(socket), performance.now());
    socket[CONNECTION] = this;
    // Node resumes the socket whenever a body is read.
    socket.on('resume', () => {
      if (this.#waiting.length > 0 && !this.#isReadingAhead) socket.pause();
    });
    // In the next tick, after Node has closed the responses that it closes by itself.
    socket.once('close', () => process.nextTick(() => this.#closeAll()));
  }

  /** The connection of `socket`. */
  static of(socket: WithConnection): Connection | null {
    return socket[CONNECTION] ?? null;
  }

  /** Whether its client has sent a request before it had the response to the one before. */
  get isPipelined(): boolean {
    return this.#isPipelined;
  }

  /** Handles a request, now or when its turn comes. */
  add(req: IncomingMessage, res: ServerResponse): void {
    if (this.#isClosing) return;
    this.#latest = { req, res };
    if (this.#handled.length > 0) this.#isPipelined = true;
    if (this.#handled.length < this.#limits.maxHandled) {
      this.#start(this.#latest);
      return;
    }
    if (this.#waiting.length === 0) this.#pausedAtBytes = this.#socket.bytesRead;
    this.#waiting.push(this.#latest);
    this.#isReadingAhead = false;
    this.#socket.pause();
    if (this.#waiting.length > this.#limits.maxWaiting) this.#overflow();
  }

  /** Handles no further request, because the response that is being sent says `Connection: close`. */
  close(): void {
    this.#isClosing = true;
    this.#waiting = [];
  }

  /**
   * Makes the response to the latest request the last one of this connection: it says `Connection: close`. Earlier ones
   * don't, because a client drops the requests it has pipelined after such a response.
   */
  closeAfterResponses(): void {
    if (this.#closesAfterResponses) return;
    this.#closesAfterResponses = true;
    for (const { res } of this.#handled) this.#closeIfLatest(res);
  }

  /** The request whose body is incomplete, or null. Node's parser errors don't name it. */
  get incomplete(): Exchange | null {
    return this.#latest === null || this.#latest.req.complete ? null : this.#latest;
  }

  /** Resolves when every request so far has had its response, or the connection is gone. */
  async responded(): Promise<void> {
    if (this.#handled.length > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  /**
   * Call it about once a second: destroys the socket if its client has taken nothing of a response for too long, and
   * notices if the client has disconnected.
   *
   * @param now In milliseconds.
   */
  check(now: number): void {
    this.#readAhead();
    const sent = sentBytes(this.#socket);
    if (this.#socket.writableLength === 0) this.#progress.restart(sent, now);
    else this.#progress.sample(sent, now);
    if (this.#progress.idleMs(now) >= this.#limits.stallMs) this.#socket.destroy();
  }

  /** A paused socket does not notice that its client has disconnected. */
  #readAhead(): void {
    if (this.#waiting.length === 0) return;
    this.#isReadingAhead = this.#socket.bytesRead - this.#pausedAtBytes < MAX_READ_AHEAD;
    if (this.#isReadingAhead) this.#socket.resume();
    else this.#socket.pause();
  }

  /** Too many requests: stop parsing. Node's parser would keep each one in memory. */
  #overflow(): void {
    this.#waiting = [];
    this.#isClosing = true;
    this.#isOverflowing = true;
    const socket = this.#socket;
    // Node's parser may be removed only from a socket that is being read.
    socket.once('resume', () => {
      const parse = socket.listeners('data');
      socket.on('data', () => {});
      for (const listener of parse) socket.off('data', listener as () => void);
      socket.once('end', () => socket.end());
    });
    socket.resume();
  }

  #start(exchange: Exchange): void {
    this.#handled.push(exchange);
    exchange.res.once('close', () => this.#ended(exchange));
    if (!this.#closesAfterResponses) {
      this.#handle(exchange.req, exchange.res);
      return;
    }
    this.#closeIfLatest(exchange.res);
    // The handler may respond at once: first let the requests after it arrive that came with the same read.
    setImmediate(() => {
      if (!exchange.res.closed) this.#handle(exchange.req, exchange.res);
    });
  }

  #closeIfLatest(res: ServerResponse): void {
    const { writeHead } = res;
    const writeLastHead = (...args: unknown[]): ServerResponse => {
      if (this.#latest?.res === res) {
        res.setHeader('Connection', 'close');
        this.close();
      }
      return Reflect.apply(writeHead, res, args) as ServerResponse;
    };
    res.writeHead = writeLastHead as typeof res.writeHead;
  }

  #ended(exchange: Exchange): void {
    this.#handled.splice(this.#handled.indexOf(exchange), 1);
    if (this.#socket.destroyed) return;
    const next = this.#waiting.shift();
    if (next !== undefined) {
      this.#start(next);
      if (this.#waiting.length === 0) this.#socket.resume();
    }
    if (this.#handled.length > 0) return;
    if (this.#isOverflowing) halfClose(this.#socket);
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  /**
   * Closes the responses that are open when the connection closes. Node does not: a response that waits behind another
   * never emits `close`, and after a CONNECT none does.
   */
  #closeAll(): void {
    this.#isClosing = true;
    this.#waiting = [];
    for (const { res } of [...this.#handled]) {
      if (!res.closed) res.emit('close');
    }
    for (const resolve of this.#idle.splice(0)) resolve();
  }
}

/** How long a half-closed connection stays open, so that the client can read the response. */
const HALF_CLOSED_MS = 1_000;

/** Closes our side of `socket` and destroys it a second later. A reset sent at once could overtake the response. */
export function halfClose(socket: Socket): void {
  socket.end();
  const timer = setTimeout(() => socket.destroy(), HALF_CLOSED_MS).unref();
  socket.once('close', () => clearTimeout(timer));
}
