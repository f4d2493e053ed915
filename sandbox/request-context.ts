import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { DueFault, Endpoint, FaultSwitch } from './faults.ts';
import { toV3Response } from './leadway-responses.ts';
import type { Settings } from './options.ts';
import type { RecordBook, RecordedRequest } from './records.ts';

/** A response before it is delivered; `json` and `body` exclude each other. */
export interface SandboxResponse {
  status: number;
  headers?: Readonly<Record<string, string>>;
  json?: unknown;
  body?: string;
}

/** One request and its response, with what the faults do to them. */
export interface RequestContext {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly record: RecordedRequest;
  readonly settings: Settings;
  readonly faults: FaultSwitch;
  readonly endpoint: Endpoint;
  /** Aborted when the connection ends, and at the end of the exchange. */
  readonly over: AbortSignal;
  fault: DueFault['base'] | null;
  responded: boolean;
  bodyEnded: boolean;
  /** Tells those who wait that the record has changed. */
  changed(): void;
}

/** Thrown where the connection has ended or was ended by a fault, so that there is no one to respond to. */
export class ConnectionGone extends Error {}

/** What an exchange takes from the sandbox. */
export interface RequestDeps {
  settings: Settings;
  book: RecordBook;
  faults: FaultSwitch;
  /** Sockets with a request that is not over. */
  inFlight: Set<Socket>;
}

/** Records a request, lets `serve` response it, and sees to its end whatever happens. */
export async function handleRequest(
  deps: RequestDeps,
  endpoint: Endpoint,
  req: IncomingMessage,
  res: ServerResponse,
  serve: (context: RequestContext) => Promise<void>,
): Promise<void> {
  const { socket } = req;
  const over = new AbortController();
  const isStorage = endpoint === 'storage' || endpoint === 'view';
  const record = deps.book.open(isStorage ? 'storage' : 'leadway', req);
  const context: RequestContext = {
    req,
    res,
    record,
    settings: deps.settings,
    faults: deps.faults,
    endpoint,
    over: over.signal,
    fault: null,
    responded: false,
    bodyEnded: false,
    changed: deps.book.changed,
  };
  let isServed = false;
  let isClosed = false;
  // Only when both have happened is the record final: hashes of a cut file are written as serving ends.
  const settle = () => {
    if (!isServed || !isClosed) return;
    record.aborted = !context.bodyEnded;
    record.left = !res.writableFinished;
    deps.inFlight.delete(socket);
    deps.book.changed();
  };
  const onClose = () => {
    isClosed = true;
    over.abort();
    // Node itself forgets the request once its response is finished, and its reader would wait forever.
    req.destroy();
    settle();
  };
  deps.inFlight.add(socket);
  // The request and the response say 'error' when the peer resets; their 'close' tells the same story.
  req.on('error', () => {});
  res.on('error', () => {});
  socket.once('close', onClose);
  // Node throws away the rest of a body that has not been read from when an early response is finished.
  req.read(0);
  try {
    takeFault(context, null);
    if (socket.destroyed) throw new ConnectionGone();
    await serve(context);
  } catch (error) {
    if (!socket.destroyed && !(error instanceof ConnectionGone)) {
      if (context.responded) socket.destroy();
      else res.writeHead(500).end(String(error));
    }
  } finally {
    over.abort();
    isServed = true;
    settle();
    // Where something is still open, the end of the socket has yet to reach the record.
    if (context.bodyEnded && res.writableFinished) {
      socket.off('close', onClose);
      deps.inFlight.delete(socket);
    }
  }
}

/** Lets the request meet the fault that is due for it, if it has not met one yet. */
export function takeFault(context: RequestContext, conversationId: string | null): void {
  if (context.fault !== null || context.responded) return;
  const due = context.faults.take(context.endpoint, conversationId);
  if (due === null) return;
  context.fault = due.base;
  context.record.fault = due.name;
  context.changed();
}

/** Waits, unless the connection ends first. */
export async function pause(context: RequestContext, ms: number): Promise<void> {
  try {
    await delay(ms, undefined, { signal: context.over });
  } catch {
    throw new ConnectionGone();
  }
}

/** Waits for the other side to give up. */
export function waitForEnd(context: RequestContext): Promise<never> {
  return new Promise((_resolve, reject) => {
    const gone = () => reject(new ConnectionGone());
    if (context.over.aborted) gone();
    else context.over.addEventListener('abort', gone, { once: true });
  });
}

/** Ends the connection: with a reset where the peer is to see ECONNRESET, else by closing it. */
export function endConnection(context: RequestContext, how: 'reset' | 'close'): never {
  if (how === 'reset') context.req.socket.resetAndDestroy();
  else context.req.socket.destroy();
  throw new ConnectionGone();
}

const TRICKLE_STEPS = 10;

/** Sends a response, the way the exchange's fault would have it. */
export async function deliver(context: RequestContext, anyVersion: SandboxResponse): Promise<void> {
  const { res, req, settings, record } = context;
  const isV3 = record.service === 'leadway' && req.headers['version'] === 'v3';
  const response = isV3 ? toV3Response(anyVersion) : anyVersion;
  const fault = context.fault?.replace(/^storage-/, '');
  if (context.responded) return;
  context.responded = true;
  if (fault === 'slow-headers') await pause(context, settings.slowMs);
  if (req.socket.destroyed) throw new ConnectionGone();

  const text = response.json === undefined ? (response.body ?? '') : JSON.stringify(response.json);
  const body = Buffer.from(text);
  const bodiless = response.status === 204 || response.status === 304;
  if (response.json !== undefined) res.setHeader('Content-Type', 'application/json; charset=utf-8');
  for (const [name, value] of Object.entries(response.headers ?? {})) res.setHeader(name, value);
  if (!bodiless) res.setHeader('Content-Length', body.length + (fault === 'cut' ? 512 : 0));
  res.writeHead(response.status);
  context.record.status = response.status;

  if (fault === 'cut') {
    await new Promise<void>((resolve) => {
      res.once('close', resolve);
      res.write(body.subarray(0, Math.ceil(body.length / 2)), () => resolve());
    });
    context.changed();
    endConnection(context, 'close');
  }
  if (fault === 'slow-body') {
    const step = Math.max(1, Math.ceil(body.length / TRICKLE_STEPS));
    for (let sent = 0; sent < body.length; sent += step) {
      res.write(body.subarray(sent, sent + step));
      await pause(context, settings.slowMs / TRICKLE_STEPS);
    }
  }
  const sent = new Promise<void>((resolve) => {
    res.once('finish', resolve).once('close', resolve);
  });
  res.end(fault === 'slow-body' || bodiless ? undefined : body);
  await sent;
  context.changed();
}
