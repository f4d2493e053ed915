import type { ClientRequest, IncomingMessage } from 'node:http';
import type { NextFunction, Request, Response } from 'express';
import { createProxyMiddleware } from 'http-proxy-middleware';
import type { AppContext } from '../server/context.ts';
import { type AppError, appError } from '../server/errors/app-error.ts';
import { languageOf } from '../server/http/language-of.ts';
import { addLogFields } from '../server/http/log-fields.ts';
import { isResponseSent, onResponseEndFirst } from '../server/http/response-end.ts';
import { sendError } from '../server/http/send-error.ts';
import { toConnectionFault } from '../server/leadway/leadway-errors.ts';
import { type ProgressWatch, watchProgress } from '../server/leadway/progress-watch.ts';
import { isConnected } from '../server/leadway/upstream-agent.ts';
import { ContentGate } from '../server/uploads/content-gate.ts';
import { toStorageError } from '../server/uploads/relay-request.ts';
import type { Ticket } from '../server/uploads/tickets.ts';

/** One relay that is in flight. */
interface Relay {
  readonly gate: ContentGate;
  readonly target: URL;
  storage: ClientRequest | null;
  sentAt: number;
  watch: ProgressWatch | null;
  isBlocked: boolean;
}

/** PUTs the body of a request to the signed URL of a ticket. */
export type StorageProxy = (req: Request, res: Response, next: NextFunction, ticket: Ticket) => Promise<void>;

/**
 * Streams content to storage with http-proxy-middleware. The target comes from the sealed ticket alone, and
 * headers are made anew before the proxy runs: its `proxyReq` event, where they are usually changed, does
 * not fire under `Expect: 100-continue`.
 */
export function createStorageProxy({
  agent,
  policy,
  config,
}: Pick<AppContext, 'agent' | 'policy' | 'config'>): StorageProxy {
  const relays = new WeakMap<IncomingMessage, Relay>();

  const end = (req: IncomingMessage): void => {
    const relay = relays.get(req);
    relay?.watch?.stop();
    relay?.gate.destroy();
    relay?.storage?.destroy();
  };
  const reject = (req: Request, res: Response, error: AppError): void => {
    end(req);
    sendError(req, res, error);
  };

  const proxy = createProxyMiddleware<Request, Response>({
    target: 'http://storage.invalid',
    changeOrigin: true,
    ignorePath: true,
    followRedirects: false,
    selfHandleResponse: true,
    router(req, _res, options) {
      const relay = relays.get(req);
      if (relay === undefined) throw new TypeError('no relay is in flight for this request');
      options.buffer = relay.gate;
      options.agent = agent.poolFor(relay.target);
      return relay.target;
    },
    on: {
      proxyReq(storage, req, res) {
        const relay = relays.get(req);
        if (relay === undefined) return;
        relay.storage = storage;
        relay.sentAt = performance.now();
        relay.watch = watchProgress(storage, config.upstreamTimeoutMs, () =>
          reject(req, res, appError(isConnected(storage) ? 'UPSTREAM_TIMEOUT' : 'UPSTREAM_UNREACHABLE')),
        );
        relay.watch.setWaiting(relay.isBlocked);
      },
      proxyRes(response, req, res) {
        const status = response.statusCode ?? 0;
        const relay = relays.get(req);
        const isStored = status >= 200 && status < 300 && relay?.gate.readableEnded === true;
        const upstreamMs = Math.round(performance.now() - (relay?.sentAt ?? 0));
        addLogFields(req, { upstreamStatus: status, upstreamMs });
        response.resume();
        if (!isStored) return reject(req, res, toStorageError(status));
        relay.watch?.stop();
        res.status(204).end();
      },
      error(error, req, res) {
        reject(req, res as Response, toConnectionFault(error, isConnected(relays.get(req)?.storage ?? null)));
      },
    },
  });

  return async function storageProxy(req, res, next, ticket) {
    const target = new URL(ticket.uploadUrl);
    const gate = new ContentGate(req, ticket, policy, {
      onRejected: (error) => reject(req, res, error),
      onBlocked: (isBlocked) => {
        relay.isBlocked = isBlocked;
        relay.watch?.setWaiting(isBlocked);
      },
    });
    const relay: Relay = { gate, target, storage: null, sentAt: 0, watch: null, isBlocked: false };
    relays.set(req, relay);
    // Before the log's own listener, which writes down what is known by then.
    onResponseEndFirst(res, () => {
      addLogFields(req, { files: 1, bytes: gate.size });
      // Whatever has responded meanwhile, a rejection or a time-out: storage must not get the end of it.
      if (!isResponseSent(res) || !gate.readableEnded) end(req);
      else relay.watch?.stop();
    });
    await gate.open();
    languageOf(req);
    const { 'content-length': length } = req.headers;
    req.headers = {
      'content-type': ticket.contentType,
      ...(length !== undefined && { 'content-length': length }),
    };
    await proxy(req, res, next);
  };
}
