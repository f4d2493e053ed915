import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { isBodyHeldBack } from './body.ts';
import { type BodyPace, ByteProgress, isBelowRate, receivedBytes } from './byte-progress.ts';
import { Connection, halfClose } from './pipelining.ts';
import { markResponseChosen, markResponseEnd } from './response-end.ts';

/** How much of a body is read and discarded after its request has had its response, and how long. */
export interface LingeringLimits extends BodyPace {
  readonly maxBytes: number;
  /** As `idleMs`, before the first byte, where the client waits for a `100 Continue` that does not come. */
  readonly heldBackMs: number;
  readonly maxPerAddress: number;
  readonly max: number;
}

/**
 * Most clients and proxies read the response only when they have sent the whole body, and lose it when the connection
 * is reset before. 128 MiB are more than the largest file of any channel; the rest bounds what an attacker can have
 * us read: 64 connections, none slower than 8 KiB/s.
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
 * How long the last byte of a response waits for a body that does not go on, and for one that does.
 *
 * Development servers (Vite, webpack, everything on http-proxy) send `Connection: close`, copy ours to their own
 * response, and close the client's connection when that has ended, although the client is still sending: it then sees
 * EPIPE. So the last byte waits until the body has been read. A client that waits for the response itself gets it after
 * a second, and a proxy in front of a slow client before its own time-out.
 */
const LAST_BYTE = { idleMs: 1_000, totalMs: 30_000 } as const;

/** How long a connection may bring little or nothing, in milliseconds; see {@link LingeringLimits}. */
interface Patience {
  readonly idleMs: number;
  /** Until the first byte, where that is less. */
  readonly firstByteMs: number;
  readonly graceMs: number;
}

/** A connection whose response is sent and whose request still comes. */
interface Lingering extends Patience {
  readonly socket: Socket;
  /** The client's address, by subnet. */
  readonly address: string;
  readonly startedAt: number;
  readonly progress: ByteProgress;
  /** Completes the response; does nothing the second time. */
  readonly sendLastByte: () => void;
  /** What is read: the body, or the bare socket where no parser reads it. */
  readonly source: IncomingMessage | Socket;
  readonly release: () => void;
}

/**
 * Keeps the connections open whose response came before the body (nginx calls this lingering close), within bounds.
 * They hold no slot and are not in flight.
 */
export class LingeringClose implements Disposable {
  readonly #limits: LingeringLimits;
  /** The one that has lingered longest is first. */
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
   * Makes `res` wait for the rest of the body when it ends before that has come: the response is sent at once, with
   * `Connection: close`, but ends when the body has been read. Node would close the socket with the end of a response
   * to an HTTP/1.0 or `Connection: close` request, read or not.
   *
   * @param addressOf The client's address by subnet; called when it is needed.
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
      // When Node has parsed all that came with the same read of the socket: often that is the rest.
      setImmediate(() => {
        if (req.complete || res.destroyed) endNow(args);
        else this.#sendAndLinger(req, res, args, { endNow, addressOf });
      });
      return res;
    };
    // Not assigned where it is written: V8 would make it in the old generation, and keep the request alive by it.
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

  /** Reads and discards the body of `req` within the bounds, and calls `onEnd` at its end. */
  #lingerOver(req: IncomingMessage, address: string, onEnd: () => void, sendLastByte?: () => void): void {
    const { idleMs, heldBackMs, graceMs } = this.#limits;
    const firstByteMs = isBodyHeldBack(req) ? heldBackMs : idleMs;
    this.#linger(req, req.socket, address, onEnd, { idleMs, firstByteMs, graceMs }, sendLastByte);
  }

  /**
   * Reads and discards what still comes on a half-closed socket that no parser reads any more.
   *
   * @param patienceMs How long it may bring nothing, or little.
   */
  discard(socket: Socket, patienceMs: number): void {
    this.#linger(null, socket, socket.remoteAddress ?? '', () => socket.destroy(), {
      idleMs: patienceMs,
      firstByteMs: patienceMs,
      graceMs: patienceMs,
    });
  }

  /** Ends the lingering of `socket`, as past the bounds. */
  stop(socket: Socket): void {
    for (const lingering of this.#connections) {
      if (lingering.socket === socket) this.#expire(lingering);
    }
  }

  [Symbol.dispose](): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  #linger(
    req: IncomingMessage | null,
    socket: Socket,
    address: string,
    onEnd: () => void,
    patience: Patience,
    sendLastByte = (): void => {},
  ): void {
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
      ...patience,
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
    req?.on('data', onData); // on a bare socket it would take the bytes from Node's parser
    source.on('pause', resume); // nobody wants what comes; whoever paused it is done with it
    source.once('end', finish);
    socket.once('end', finish); // nothing more comes of a body that the parser can't read on
    socket.once('close', forget);
    this.#connections.add(lingering);
    this.#timer ??= setInterval(() => this.#checkAll(), Math.min(SAMPLE_MS, patience.idleMs)).unref();
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

  /** The longest lingering of the address with the most goes first, so that one client can't end those of others. */
  #makeRoom(address: string): void {
    const own = [...this.#connections].filter((lingering) => lingering.address === address);
    if (own.length > this.#limits.maxPerAddress) this.#expire(own[0]);
    if (this.#connections.size <= this.#limits.max) return;
    const byAddress = Map.groupBy(this.#connections, (lingering) => lingering.address);
    const [most] = [...byAddress.values()].sort((a, b) => b.length - a.length);
    this.#expire(most?.[0]);
  }

  /** Stops reading, half-closes, and destroys the socket a little later. */
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

/** Whether the response is complete with what is left to write: it is not when its end is a last chunk or the close. */
function canSendWhole(res: ServerResponse): boolean {
  return !res.headersSent || res.hasHeader('Content-Length') || !hasBody(res);
}

function hasBody({ req, statusCode }: ServerResponse): boolean {
  return req.method !== 'HEAD' && statusCode !== 204 && statusCode !== 304;
}

/**
 * Sends everything of `res` but its end, and calls `onSent` when the kernel has it. `args` are those of `end`.
 *
 * @returns What sends the last byte, where that waits for the body ({@link LAST_BYTE}).
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

/** A response ends once. */
function ignoreEnd(this: ServerResponse): ServerResponse {
  return this;
}
