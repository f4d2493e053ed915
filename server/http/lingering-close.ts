import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { isBodyHeldBack } from './body.ts';
import { type BodyPace, ByteProgress, isBelowRate, receivedBytes } from './byte-progress.ts';
import { Connection, halfClose } from './pipelining.ts';
import { markResponseChosen, markResponseEnd } from './response-end.ts';

/** How much of a body is read and discarded after the response, and for how long. */
export interface LingeringLimits extends BodyPace {
  readonly maxBytes: number;
  /** As `idleMs`, before the first byte, for a client that waits for a `100 Continue`. */
  readonly heldBackMs: number;
  readonly maxPerAddress: number;
  readonly max: number;
}

/**
 * Most clients and proxies read the response only after they have sent the whole body, and lose it if the connection is
 * reset before. 128 MiB is more than the largest file of any channel. The other limits bound what an attacker can make us
 * read: 64 connections, none slower than 8 KiB/s.
 */
export const LINGERING_LIMITS: LingeringLimits = {
  maxBytes: 128 * 1024 * 1024,
  idleMs: 10_000,
  heldBackMs: 1_000,
  minBytesPerSecond: 8 * 1024,
  graceMs: 30_000,
  totalMs: 15 * 60_000,
  maxPerAddress: 8,
  max: 64,
};

const SAMPLE_MS = 250;

/**
 * How long the last byte of a response waits for a body that has stopped, and for one that goes on.
 *
 * Development servers (Vite, webpack, everything on http-proxy) send `Connection: close`, copy ours to their own response,
 * and close the client's connection when it ends, although the client is still sending: it then sees EPIPE. So the last
 * byte waits until the body has been read. A client that waits for the response first gets it after a second, and a proxy
 * in front of a slow client gets it before its own timeout.
 */
const LAST_BYTE = { idleMs: 1_000, totalMs: 30_000 } as const;

/** How long a connection may be slow or idle, in milliseconds; see {@link LingeringLimits}. */
interface LingeringTimeouts {
  readonly idleMs: number;
  /** The same until the first byte. */
  readonly firstByteMs: number;
  readonly graceMs: number;
}

interface LingerOptions {
  /** Null if no parser reads the socket. */
  readonly req: IncomingMessage | null;
  readonly socket: Socket;
  /** The client's address, by subnet. */
  readonly address: string;
  readonly timeouts: LingeringTimeouts;
  /** Called at the end of the body, if that comes within the limits. */
  readonly onEnd: () => void;
  /** Completes the response. */
  readonly sendLastByte?: (() => void) | undefined;
}

/** A connection whose response has been sent while its request is still arriving. */
interface Lingering extends LingeringTimeouts {
  readonly socket: Socket;
  /** The client's address, by subnet. */
  readonly address: string;
  readonly startedAt: number;
  readonly progress: ByteProgress;
  /** Completes the response. Does nothing the second time. */
  readonly sendLastByte: () => void;
  /** The body, or the bare socket if no parser reads it. */
  readonly source: IncomingMessage | Socket;
  readonly release: () => void;
}

/**
 * Keeps a connection open, within limits, if its response was sent before the whole body had arrived (nginx's lingering
 * close). Such connections hold no slot and are not in flight.
 */
export class LingeringClose implements Disposable {
  readonly #limits: LingeringLimits;
  /** The oldest is first. */
  readonly #connections = new Set<Lingering>();
  #timer: NodeJS.Timeout | null = null;

  constructor(limits: LingeringLimits = LINGERING_LIMITS) {
    this.#limits = limits;
  }

  /** How many connections linger. */
  get count(): number {
    return this.#connections.size;
  }

  /**
   * Makes `res`, if it ends before the body has arrived, wait for the rest of the body: the response is sent at once, with
   * `Connection: close`, but ends when the body has been read. At the end of a response to an HTTP/1.0 or
   * `Connection: close` request Node would close the socket, whether the body has been read or not.
   *
   * @param addressOf The client's address by subnet; called if it is needed.
   */
  holdOpen(req: IncomingMessage, res: ServerResponse, addressOf: () => string): void {
    const end = res.end;
    const endNow = (args: readonly unknown[]): void => void Reflect.apply(end, res, args);
    const endOrLinger = (...args: unknown[]): ServerResponse => {
      res.end = ignoreEnd;
      markResponseChosen(res);
      if (req.complete) {
        endNow(args);
        return res;
      }
      if (!canSendWhole(res)) {
        endNow(args);
        this.#lingerOver(req, addressOf(), () => {});
        return res;
      }
      // After Node has parsed all that came with the same read of the socket, which often is the rest of the body.
      setImmediate(() => {
        if (req.complete || res.destroyed) endNow(args);
        else this.#sendAndLinger(req, res, args, { endNow, addressOf });
      });
      return res;
    };
    // Defined first, then assigned: otherwise V8 allocates it in the old generation (docs/performance.md).
    res.end = endOrLinger as typeof res.end;
  }

  #sendAndLinger(
    req: IncomingMessage,
    res: ServerResponse,
    args: readonly unknown[],
    {
      endNow,
      addressOf,
    }: { readonly endNow: (args: readonly unknown[]) => void; readonly addressOf: () => string },
  ): void {
    const sendLastByte = sendWhole(res, args, (error) => {
      markResponseEnd(res, error ? 'cut' : 'sent');
      const callback = args.findLast((arg) => typeof arg === 'function');
      if (callback !== undefined) callback(error);
    });
    Connection.of(req.socket)?.close();
    req.unpipe();
    this.#lingerOver(req, addressOf(), () => endNow([]), sendLastByte);
  }

  /** Reads and discards the body of `req` within the limits, and calls `onEnd` at its end. */
  #lingerOver(req: IncomingMessage, address: string, onEnd: () => void, sendLastByte?: () => void): void {
    const { idleMs, heldBackMs, graceMs } = this.#limits;
    const timeouts = { idleMs, firstByteMs: isBodyHeldBack(req) ? heldBackMs : idleMs, graceMs };
    this.#linger({ req, socket: req.socket, address, timeouts, onEnd, sendLastByte });
  }

  /**
   * Reads and discards what still arrives on a half-closed socket that no parser reads.
   *
   * @param patienceMs How long little or nothing may arrive.
   */
  discard(socket: Socket, patienceMs: number): void {
    const timeouts = { idleMs: patienceMs, firstByteMs: patienceMs, graceMs: patienceMs };
    const address = socket.remoteAddress ?? '';
    this.#linger({ req: null, socket, address, timeouts, onEnd: () => socket.destroy() });
  }

  /** Closes `socket`, as if it had exceeded a limit. */
  stop(socket: Socket): void {
    for (const lingering of this.#connections) {
      if (lingering.socket === socket) this.#expire(lingering);
    }
  }

  [Symbol.dispose](): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  #linger({ req, socket, address, timeouts, onEnd, sendLastByte = () => {} }: LingerOptions): void {
    const source = req ?? socket;
    const onData = (): void => this.#check(lingering, performance.now());
    const resume = (): void => void source.resume();
    const finish = (): void => {
      this.#remove(lingering);
      sendLastByte();
      onEnd();
    };
    const forget = (): void => this.#remove(lingering);
    const now = performance.now();
    const lingering: Lingering = {
      socket,
      address,
      startedAt: now,
      progress: new ByteProgress(receivedBytes(socket), now),
      ...timeouts,
      sendLastByte,
      source,
      release() {
        req?.off('data', onData);
        source.off('pause', resume);
        source.off('end', finish);
        socket.off('end', finish);
        socket.off('close', forget);
      },
    };
    req?.on('data', onData); // a listener on a bare socket would take the bytes from Node's parser
    source.on('pause', resume); // the reader that paused it is gone
    source.once('end', finish);
    socket.once('end', finish); // the body can't end if the parser has failed
    socket.once('close', forget);
    this.#connections.add(lingering);
    this.#timer ??= setInterval(() => this.#checkAll(), Math.min(SAMPLE_MS, timeouts.idleMs)).unref();
    this.#makeRoom(address);
    source.resume();
  }

  #checkAll(): void {
    const now = performance.now();
    for (const lingering of this.#connections) this.#check(lingering, now);
  }

  #check(lingering: Lingering, now: number): void {
    const { socket, progress, graceMs } = lingering;
    const { maxBytes, minBytesPerSecond, totalMs } = this.#limits;
    progress.sample(receivedBytes(socket), now);
    const { bytes } = progress;
    const idleMs = progress.idleMs(now);
    const elapsedMs = now - lingering.startedAt;
    const isTooSlow = isBelowRate(bytes, elapsedMs, { graceMs, minBytesPerSecond });
    const isIdle = idleMs >= (bytes === 0 ? lingering.firstByteMs : lingering.idleMs);
    if (idleMs >= LAST_BYTE.idleMs || elapsedMs >= LAST_BYTE.totalMs) lingering.sendLastByte();
    if (bytes > maxBytes || isIdle || isTooSlow || elapsedMs >= totalMs) this.#expire(lingering);
  }

  /** Closes the oldest of the address with the most connections, so that one client can't displace others. */
  #makeRoom(address: string): void {
    const own = [...this.#connections].filter((lingering) => lingering.address === address);
    if (own.length > this.#limits.maxPerAddress) this.#expire(own[0]);
    if (this.#connections.size <= this.#limits.max) return;
    const byAddress = Map.groupBy(this.#connections, (lingering) => lingering.address);
    const [most] = [...byAddress.values()].sort((a, b) => b.length - a.length);
    this.#expire(most?.[0]);
  }

  /** Stops reading and half-closes the socket, which is destroyed a little later. */
  #expire(lingering: Lingering | undefined): void {
    if (lingering === undefined) return;
    this.#remove(lingering);
    const { source, socket } = lingering;
    lingering.sendLastByte();
    source.pause();
    socket.pause();
    halfClose(socket);
  }

  #remove(lingering: Lingering): void {
    lingering.release();
    this.#connections.delete(lingering);
    if (this.#connections.size === 0) this[Symbol.dispose]();
  }
}

/** Whether the client can tell the end of the response before a last chunk or the close of the connection. */
function canSendWhole(res: ServerResponse): boolean {
  return !res.headersSent || res.hasHeader('Content-Length') || !hasBody(res);
}

function hasBody({ req, statusCode }: ServerResponse): boolean {
  return req.method !== 'HEAD' && statusCode !== 204 && statusCode !== 304;
}

/**
 * Sends all of `res` without ending it, and calls `onSent` when the kernel has it. `args` are those of `end`.
 *
 * @returns A function that sends the last byte, if that waits for the body ({@link LAST_BYTE}).
 */
function sendWhole(
  res: ServerResponse,
  args: readonly unknown[],
  onSent: (error?: Error | null) => void,
): () => void {
  const [chunk] = args;
  const content = typeof chunk === 'string' || chunk instanceof Uint8Array ? chunk : '';
  const encoding = typeof args[1] === 'string' ? (args[1] as BufferEncoding) : 'utf8';
  if (!res.headersSent) {
    res.setHeader('Connection', 'close');
    if (hasBody(res)) res.setHeader('Content-Length', Buffer.byteLength(content, encoding));
  }
  if (content.length === 0 || !hasBody(res)) {
    res.flushHeaders();
    onSent();
    return () => {};
  }
  if (!/\bclose\b/i.test(res.req.headers.connection ?? '') || res.req.httpVersion === '1.0') {
    res.write(content, encoding, onSent);
    return () => {};
  }
  const bytes = typeof content === 'string' ? Buffer.from(content, encoding) : content;
  let isComplete = false;
  res.write(bytes.subarray(0, -1), onSent);
  return () => {
    if (!isComplete && !res.destroyed) res.write(bytes.subarray(-1));
    isComplete = true;
  };
}

/** The `end` of a response that has ended already. */
function ignoreEnd(this: ServerResponse): ServerResponse {
  return this;
}
