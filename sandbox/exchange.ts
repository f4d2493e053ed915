import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { DueFault, Endpoint, FaultSwitch } from './faults.ts';
import type { Settings } from './options.ts';
import type { RecordBook, RecordedRequest } from './records.ts';

/** An answer before it is delivered; `json` and `body` exclude each other. */
export interface Answer {
  status: number;
  headers?: Readonly<Record<string, string>>;
  json?: unknown;
  body?: string;
}

/** One request and its answer, with what the faults do to them. */
export interface Exchange {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly record: RecordedRequest;
  readonly settings: Settings;
  readonly faults: FaultSwitch;
  readonly endpoint: Endpoint;
  /** Aborted when the connection ends, and at the end of the exchange. */
  readonly over: AbortSignal;
  fault: DueFault['base'] | null;
  answered: boolean;
  bodyEnded: boolean;
  /** Tells those who wait that the record has changed. */
  changed(): void;
}

/** Thrown where the connection has ended or was ended by a fault, so that there is nobody to answer. */
export class ConnectionGone extends Error {}

/** What an exchange takes from the sandbox. */
export interface ExchangeDeps {
  settings: Settings;
  book: RecordBook;
  faults: FaultSwitch;
  /** Sockets with a request that is not over. */
  inFlight: Set<Socket>;
}

/** Records a request, lets `serve` answer it, and sees to its end whatever happens. */
export async function runExchange(
  deps: ExchangeDeps,
  endpoint: Endpoint,
  req: IncomingMessage,
  res: ServerResponse,
  serve: (exchange: Exchange) => Promise<void>,
): Promise<void> {
  const { socket } = req;
  const over = new AbortController();
  const isStorage = endpoint === 'storage' || endpoint === 'view';
  const record = deps.book.open(isStorage ? 'storage' : 'leadway', req);
  const exchange: Exchange = {
    req,
    res,
    record,
    settings: deps.settings,
    faults: deps.faults,
    endpoint,
    over: over.signal,
    fault: null,
    answered: false,
    bodyEnded: false,
    changed: deps.book.changed,
  };
  let isServed = false;
  let isClosed = false;
  // Only when both have happened is the record final: hashes of a cut file are written as serving ends.
  const settle = () => {
    if (!isServed || !isClosed) return;
    record.aborted = !exchange.bodyEnded;
    record.left = !res.writableFinished;
    deps.inFlight.delete(socket);
    deps.book.changed();
  };
  const onClose = () => {
    isClosed = true;
    over.abort();
    // Node itself forgets the request once its answer is finished, and its reader would wait for ever.
    req.destroy();
    settle();
  };
  deps.inFlight.add(socket);
  // The request and the response say 'error' when the peer resets; their 'close' tells the same story.
  req.on('error', () => {});
  res.on('error', () => {});
  socket.once('close', onClose);
  // Node throws away the rest of a body that nobody has begun to read when an early answer is finished.
  req.read(0);
  try {
    takeFault(exchange, null);
    if (socket.destroyed) throw new ConnectionGone();
    await serve(exchange);
  } catch (error) {
    if (!socket.destroyed && !(error instanceof ConnectionGone)) {
      if (exchange.answered) socket.destroy();
      else res.writeHead(500).end(String(error));
    }
  } finally {
    over.abort();
    isServed = true;
    settle();
    // Where something is still open, the end of the socket has yet to reach the record.
    if (exchange.bodyEnded && res.writableFinished) {
      socket.off('close', onClose);
      deps.inFlight.delete(socket);
    }
  }
}

/** Lets the request meet the fault that is due for it, if it has not met one yet. */
export function takeFault(exchange: Exchange, conversationId: string | null): void {
  if (exchange.fault !== null || exchange.answered) return;
  const due = exchange.faults.take(exchange.endpoint, conversationId);
  if (due === null) return;
  exchange.fault = due.base;
  exchange.record.fault = due.name;
  exchange.changed();
}

/** Waits, unless the connection ends first. */
export async function pause(exchange: Exchange, ms: number): Promise<void> {
  try {
    await delay(ms, undefined, { signal: exchange.over });
  } catch {
    throw new ConnectionGone();
  }
}

/** Waits for the other side to give up. */
export function waitForEnd(exchange: Exchange): Promise<never> {
  return new Promise((_resolve, reject) => {
    const gone = () => reject(new ConnectionGone());
    if (exchange.over.aborted) gone();
    else exchange.over.addEventListener('abort', gone, { once: true });
  });
}

/** Ends the connection: with a reset where the peer is to see ECONNRESET, else by closing it. */
export function endConnection(exchange: Exchange, how: 'reset' | 'close'): never {
  if (how === 'reset') exchange.req.socket.resetAndDestroy();
  else exchange.req.socket.destroy();
  throw new ConnectionGone();
}

const TRICKLE_STEPS = 10;

/** Sends an answer, the way the exchange's fault would have it. */
export async function deliver(exchange: Exchange, answer: Answer): Promise<void> {
  const { res, req, settings } = exchange;
  const fault = exchange.fault?.replace(/^storage-/, '');
  if (exchange.answered) return;
  exchange.answered = true;
  if (fault === 'slow-headers') await pause(exchange, settings.slowMs);
  if (req.socket.destroyed) throw new ConnectionGone();

  const text = answer.json === undefined ? (answer.body ?? '') : JSON.stringify(answer.json);
  const body = Buffer.from(text);
  const bodiless = answer.status === 204 || answer.status === 304;
  if (answer.json !== undefined) res.setHeader('Content-Type', 'application/json; charset=utf-8');
  for (const [name, value] of Object.entries(answer.headers ?? {})) res.setHeader(name, value);
  if (!bodiless) res.setHeader('Content-Length', body.length + (fault === 'cut' ? 512 : 0));
  res.writeHead(answer.status);
  exchange.record.status = answer.status;

  if (fault === 'cut') {
    await new Promise<void>((resolve) => {
      res.once('close', resolve);
      res.write(body.subarray(0, Math.ceil(body.length / 2)), () => resolve());
    });
    exchange.changed();
    endConnection(exchange, 'close');
  }
  if (fault === 'slow-body') {
    const step = Math.max(1, Math.ceil(body.length / TRICKLE_STEPS));
    for (let sent = 0; sent < body.length; sent += step) {
      res.write(body.subarray(sent, sent + step));
      await pause(exchange, settings.slowMs / TRICKLE_STEPS);
    }
  }
  const sent = new Promise<void>((resolve) => {
    res.once('finish', resolve).once('close', resolve);
  });
  res.end(fault === 'slow-body' || bodiless ? undefined : body);
  await sent;
  exchange.changed();
}
