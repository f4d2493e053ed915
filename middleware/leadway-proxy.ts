import type { ClientRequest, IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import type { NextFunction, Request, Response } from 'express';
import { createProxyMiddleware } from 'http-proxy-middleware';
import type { AppContext } from '../server/context.ts';
import { AppError, appError } from '../server/errors/app-error.ts';
import { languageOf, sendError } from '../server/errors/response.ts';
import { BodyOverflowError } from '../server/http/body.ts';
import { type StallWatch, watchStall } from '../server/http/byte-progress.ts';
import { addLogFields } from '../server/http/log-fields.ts';
import { canRespond, disconnectSignal, isResponseSent, onResponseEnd } from '../server/http/response-end.ts';
import { isConnected } from '../server/leadway/agent.ts';
import { isBadToken, toConnectionFault } from '../server/leadway/errors.ts';
import { readResponse } from '../server/leadway/response.ts';
import type { ListedCall } from '../server/passthrough/rules.ts';
import { isWebPage, pipeResponse } from './pipe-response.ts';

/** A call as it is sent to Leadway: everything in it has been checked. */
export interface LeadwayCall {
  /** The call as `PASSTHROUGH` lists it. */
  readonly rule: ListedCall;
  readonly locationId: string;
  /** Path and query. */
  readonly target: string;
  /** The JSON body, serialised again; or null. */
  readonly body: string | null;
}

/** Sends a call to Leadway and its response to the client. */
export type LeadwayProxy = (
  req: Request,
  res: Response,
  next: NextFunction,
  call: LeadwayCall,
) => Promise<void>;

const MAX_LISTENERS = 20;

interface RunningCall {
  readonly call: LeadwayCall;
  readonly next: NextFunction;
  readonly signal: AbortSignal;
  token: string;
  tries: number;
  upstream: ClientRequest | null;
  sentAt: number;
  watch: StallWatch | null;
}

/**
 * Passes calls to Leadway with http-proxy-middleware. Request headers are set before the proxy runs. The attack: its
 * `proxyReq` event does not fire under `Expect: 100-continue`, so the client's own headers would be sent, without our token.
 */
export function createLeadwayProxy({
  agent,
  config,
  uploads: { leadway },
}: Pick<AppContext, 'agent' | 'config' | 'uploads'>): LeadwayProxy {
  const { baseUrl, tokens, quota, timeoutMs } = leadway.options;
  const calls = new WeakMap<IncomingMessage, RunningCall>();
  const runningCall = (req: IncomingMessage): RunningCall => {
    const running = calls.get(req);
    if (running === undefined) throw new TypeError('no call is in flight for this request');
    return running;
  };

  const reject = (req: Request, res: Response, error: AppError): void => {
    const { watch, upstream } = runningCall(req);
    watch?.stop();
    upstream?.destroy();
    sendError(req, res, error);
  };

  async function send(req: Request, res: Response): Promise<void> {
    const running = runningCall(req);
    const { call, signal, next } = running;
    running.tries += 1;
    await quota.take(call.locationId, signal);
    running.token = tokens.current(call.locationId);
    req.headers = toIncomingHeaders(leadway.headers(running.token));
    if (call.body !== null) {
      req.headers['content-type'] = 'application/json';
      req.headers['content-length'] = String(Buffer.byteLength(call.body));
    }
    await proxy(req, res, next);
  }

  /** Retries once if Leadway rejected the token and there is another one; Leadway has not processed the call. */
  async function respondToRejection(response: IncomingMessage, req: Request, res: Response): Promise<void> {
    const running = runningCall(req);
    const { locationId, rule } = running.call;
    const read = await readResponse(response);
    if (read.ok) throw appError('UPSTREAM_ERROR');
    const isOther = isBadToken(read.rejection) && (await tokens.refresh(locationId, running.token));
    if (!canRespond(res)) return;
    if (!isOther || running.tries > 1) throw leadway.toError(read.rejection, locationId, rule);
    running.watch?.stop();
    await send(req, res);
  }

  const proxy = createProxyMiddleware<Request, Response>({
    target: baseUrl.origin,
    changeOrigin: true,
    followRedirects: false,
    selfHandleResponse: true,
    agent: agent.poolFor(baseUrl),
    router(req, _res, options) {
      options.buffer = Readable.from(runningCall(req).call.body ?? [], { objectMode: false });
      // As in Express, a HEAD is a GET whose content Node leaves out; Leadway may not know HEAD.
      if (req.method === 'HEAD') Object.assign(options, { method: 'GET' }); // its types lack it
      return baseUrl.origin;
    },
    pathRewrite: (_path, req) => runningCall(req).call.target,
    on: {
      proxyReq(upstream, req, res) {
        const running = runningCall(req);
        running.upstream = upstream;
        running.sentAt = performance.now();
        running.watch = watchStall(upstream, timeoutMs, () =>
          reject(req, res, appError(isConnected(upstream) ? 'UPSTREAM_TIMEOUT' : 'UPSTREAM_UNREACHABLE')),
        );
        running.watch.setWaiting(true);
      },
      proxyRes(response, req, res) {
        const { call, watch, tries, sentAt } = runningCall(req);
        const status = response.statusCode ?? 0;
        addLogFields(req, { upstreamStatus: status, upstreamMs: Math.round(performance.now() - sentAt) });
        quota.update(call.locationId, status, response.headers, tries > 1 ? 'retry' : 'first');
        const isSuccess = status >= 200 && status < 300;
        if (isSuccess) leadway.noteAccepted(call.locationId, call.rule);
        if (isSuccess && !isWebPage(response)) {
          pipeResponse(response, res, { watch, idleMs: config.uploads.idleTimeoutMs });
          return;
        }
        whenProxyHasIt(response, () => {
          if (isSuccess) reject(req, res, appError('UPSTREAM_ERROR'));
          else respondToRejection(response, req, res).catch((error) => reject(req, res, toFault(error)));
        });
      },
      error(error, req, res) {
        const { upstream } = runningCall(req);
        reject(req, res as Response, toConnectionFault(error, isConnected(upstream)));
      },
    },
  });

  return async function leadwayProxy(req, res, next, call) {
    const signal = disconnectSignal(res);
    calls.set(req, { call, next, signal, token: '', tries: 0, upstream: null, sentAt: 0, watch: null });
    onResponseEnd(res, () => {
      const { watch, upstream } = runningCall(req);
      watch?.stop();
      if (!isResponseSent(res)) upstream?.destroy();
    });
    // The proxy warns about bodies that were read before; this one is in the call.
    req.body = undefined;
    // Two tries add more listeners than Node's limit for leaks.
    res.setMaxListeners(MAX_LISTENERS);
    // Kept now: the client's headers are gone when an error is sent.
    languageOf(req);
    await send(req, res);
  };
}

/**
 * Calls `then` once the proxy has put its listeners on `response`, and without them: a response that ends early
 * makes them cut off the client, which is to get an error of ours instead.
 */
function whenProxyHasIt(response: IncomingMessage, then: () => void): void {
  const own = new Map(['close', 'error'].map((event) => [event, response.listeners(event)]));
  queueMicrotask(() => {
    for (const [event, before] of own) {
      for (const listener of response.listeners(event)) {
        if (!before.includes(listener)) response.off(event, listener as () => void);
      }
    }
    // An error ends the reading. Without a listener it would end the process.
    response.on('error', () => {});
    then();
  });
}

/** Headers in the form of an incoming request. */
function toIncomingHeaders(namesAndValues: readonly string[]): IncomingHttpHeaders {
  const headers: IncomingHttpHeaders = {};
  for (let at = 0; at < namesAndValues.length; at += 2) {
    headers[namesAndValues[at]?.toLowerCase() ?? ''] = namesAndValues[at + 1];
  }
  return headers;
}

function toFault(error: unknown): AppError {
  if (error instanceof AppError) return error;
  if (error instanceof BodyOverflowError) return appError('UPSTREAM_ERROR', { cause: error });
  return toConnectionFault(error, true);
}
