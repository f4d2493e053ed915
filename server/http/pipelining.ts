import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { ByteProgress, sentBytes } from './byte-progress.ts';

/** Bounds of what one connection may have in flight. */
export interface PipeliningLimits {
  /** Requests that are handled at a time; the others wait, without a slot or a log line. */
  readonly maxHandled: number;
  /** Requests that may wait; a connection with more is closed after the responses to those that are handled. */
  readonly maxWaiting: number;
  /** How long a response may make no progress, in milliseconds. */
  readonly stallMs: number;
}

/**
 * Browsers do not pipeline and proxies hardly do, so eight serve every real client. Node parses all that one read of
 * the socket brought, up to 1,450 requests in 64 KiB: that is what may come after the eighth.
 */
export const PIPELINING_LIMITS: PipeliningLimits = { maxHandled: 8, maxWaiting: 100, stallMs: 30_000 };

/** How much is read ahead of the requests that wait, in bytes, to notice a client that has disconnected. */
const MAX_READ_AHEAD = 128 * 1024;

/** A request and its response. */
export interface Exchange {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
}

type Handle = (req: IncomingMessage, res: ServerResponse) => void;

const CONNECTION = Symbol('connection');

type WithConnection = Socket & { [CONNECTION]?: Connection };

/** What one connection has in flight: the requests that are handled, and those behind them that wait. */
export class Connection {
  readonly #socket: Socket;
  readonly #limits: PipeliningLimits;
  readonly #handle: Handle;
  /** No Set: what is added to one and deleted again lives on through its tables until a full collection. */
  readonly #handled: Exchange[] = [];
  #waiting: Exchange[] = [];
  #latest: Exchange | null = null;
  /** Nothing more is handled on this connection. */
  #isClosing = false;
  #closesAfterResponses = false;
  #isOverflowing = false;
  /** Reads although requests wait. */
  #isReadingAhead = false;
  /** What had been read when the first request had to wait. */
  #pausedAtBytes = 0;
  readonly #idle: (() => void)[] = [];
  /** What the client has taken. */
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
    // In the next tick, when Node has closed what it closes by itself.
    socket.once('close', () => process.nextTick(() => this.#closeAll()));
  }

  /** The connection of `socket`. */
  static of(socket: WithConnection): Connection | null {
    return socket[CONNECTION] ?? null;
  }

  /** Handles a request, now or when its turn comes. */
  add(req: IncomingMessage, res: ServerResponse): void {
    if (this.#isClosing) return;
    this.#latest = { req, res };
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

  /** Handles no further request: the response that is being sent says `Connection: close`. */
  close(): void {
    this.#isClosing = true;
    this.#waiting = [];
  }

  /**
   * Makes the response to the latest request the last one of this connection: it says `Connection: close`. Those before
   * it don't, since a client drops the requests that it has sent behind such a response.
   */
  closeAfterResponses(): void {
    if (this.#closesAfterResponses) return;
    this.#closesAfterResponses = true;
    for (const { res } of this.#handled) this.#closeIfLatest(res);
  }

  /** The request whose body has not come to its end; null when there is none. Node's parser errors don't say. */
  get incomplete(): Exchange | null {
    return this.#latest === null || this.#latest.req.complete ? null : this.#latest;
  }

  /** Resolves when every request so far has had its response, or the connection is gone. */
  async responded(): Promise<void> {
    if (this.#handled.length > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  /**
   * To be called about once a second: destroys the socket when its client has taken nothing of a response for too long,
   * and looks whether it is still there.
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

  /** A paused socket does not tell that its client has disconnected. */
  #readAhead(): void {
    if (this.#waiting.length === 0) return;
    this.#isReadingAhead = this.#socket.bytesRead - this.#pausedAtBytes < MAX_READ_AHEAD;
    if (this.#isReadingAhead) this.#socket.resume();
    else this.#socket.pause();
  }

  /** Forgets all that waits, and what still comes: Node's parser would keep each request that it reads. */
  #overflow(): void {
    this.#waiting = [];
    this.#isClosing = true;
    this.#isOverflowing = true;
    const socket = this.#socket;
    // Only a socket that is being read goes on when Node's parser has lost it.
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
    // A response may be made at once. By then the requests behind it that came with the same read have to be known.
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
   * Ends what is still open when the connection is gone. Node does not: a response that waits behind another never
   * emits `close`, and after a CONNECT neither does any other.
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

/** How long a half-closed connection may stay, so that what was sent can still be read. */
const HALF_CLOSED_MS = 1_000;

/** Closes our side of `socket` and destroys it a second later. At once, the reset could overtake what was sent. */
export function halfClose(socket: Socket): void {
  socket.end();
  const timer = setTimeout(() => socket.destroy(), HALF_CLOSED_MS).unref();
  socket.once('close', () => clearTimeout(timer));
}
