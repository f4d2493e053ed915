import { type ClientRequest, type IncomingMessage, STATUS_CODES } from 'node:http';
import { Readable } from 'node:stream';
import type { NextFunction, Request, Response } from 'express';
import { createProxyMiddleware } from 'http-proxy-middleware';
import type { AppContext } from '../server/context.ts';
import { type AppError, appError, toAppError } from '../server/errors/app-error.ts';
import { whenCallerLeaves } from '../server/http/caller-leaves.ts';
import { languageOf } from '../server/http/language-of.ts';
import { noteOutcome } from '../server/http/outcome.ts';
import { sendError } from '../server/http/send-error.ts';
import { readAnswer } from '../server/leadway/leadway-client.ts';
import { toConnectionFault } from '../server/leadway/leadway-errors.ts';
import { toLeadwayHeaders } from '../server/leadway/leadway-headers.ts';
import { type ProgressWatch, watchProgress } from '../server/leadway/progress-watch.ts';

/** A call as it goes to Leadway: nothing in it comes from the caller unchecked. */
export interface LeadwayCall {
  readonly locationId: string;
  /** Path and query. */
  readonly target: string;
  /** The JSON body, written anew; null when there is none. */
  readonly body: string | null;
}

/** Sends a call to Leadway and its answer to the caller. */
export type LeadwayProxy = (
  req: Request,
  res: Response,
  next: NextFunction,
  call: LeadwayCall,
) => Promise<void>;

/** Headers of Leadway's answer that a caller gets. `Set-Cookie` would put Leadway's cookies on our origin. */
const ANSWER_HEADERS = ['content-type', 'content-length', 'content-language', 'etag', 'last-modified'];

interface RunningCall {
  readonly call: LeadwayCall;
  upstream: ClientRequest | null;
  watch: ProgressWatch | null;
}

/**
 * Passes calls to Leadway with http-proxy-middleware. Its request headers are made before the proxy runs,
 * since `proxyReq`, where they are usually set, does not fire under `Expect: 100-continue`: the caller's own
 * would go out and the token would not.
 */
export function createLeadwayProxy({
  agent,
  uploads: { client },
}: Pick<AppContext, 'agent' | 'uploads'>): LeadwayProxy {
  const { baseUrl, apiVersion, tokens, budget, timeoutMs } = client.options;
  const running = new WeakMap<IncomingMessage, RunningCall>();

  const refuse = (req: Request, res: Response, error: AppError): void => {
    const call = running.get(req);
    call?.watch?.stop();
    call?.upstream?.destroy();
    sendError(req, res, error);
  };

  const proxy = createProxyMiddleware<Request, Response>({
    target: baseUrl.origin,
    changeOrigin: true,
    followRedirects: false,
    selfHandleResponse: true,
    agent: agent.poolFor(baseUrl),
    router(req, _res, options) {
      options.buffer = Readable.from(running.get(req)?.call.body ?? [], { objectMode: false });
      return baseUrl.origin;
    },
    pathRewrite: (_path, req) => running.get(req)?.call.target ?? '/',
    on: {
      proxyReq(upstream, req, res) {
        const call = running.get(req);
        if (call === undefined) return;
        call.upstream = upstream;
        call.watch = watchProgress(upstream, timeoutMs, () => refuse(req, res, appError('UPSTREAM_TIMEOUT')));
        call.watch.setWaiting(true);
      },
      proxyRes(answer, req, res) {
        const status = answer.statusCode ?? 0;
        noteOutcome(req, { upstreamStatus: status });
        budget.learn(running.get(req)?.call.locationId ?? '', status, answer.headers);
        if (status >= 200 && status < 300) return passAnswer(answer, res);
        const locationId = running.get(req)?.call.locationId ?? '';
        readAnswer(answer)
          .then((read) => (read.ok ? appError('UPSTREAM_ERROR') : client.toError(read.refusal, locationId)))
          .catch(toAppError)
          .then((error) => refuse(req, res, error));
      },
      error(error, req, res) {
        refuse(req, res as Response, toConnectionFault(error));
      },
    },
  });

  return async function leadwayProxy(req, res, next, call) {
    running.set(req, { call, upstream: null, watch: null });
    res.once('close', () => {
      running.get(req)?.watch?.stop();
      if (!res.writableFinished) running.get(req)?.upstream?.destroy();
    });
    languageOf(req);
    await budget.take(call.locationId, whenCallerLeaves(res));
    const headers = toLeadwayHeaders(tokens.current(call.locationId), apiVersion);
    req.headers = Object.fromEntries([
      ...Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)]),
      ...(call.body === null
        ? []
        : [
            ['content-type', 'application/json'],
            ['content-length', String(Buffer.byteLength(call.body))],
          ]),
    ]);
    await proxy(req, res, next);
  };
}

function passAnswer(answer: IncomingMessage, res: Response): void {
  res.status(answer.statusCode ?? 502);
  res.statusMessage = STATUS_CODES[res.statusCode] ?? '';
  for (const name of ANSWER_HEADERS) {
    const value = answer.headers[name];
    if (value !== undefined) res.setHeader(name, value);
  }
  res.setHeader('Cache-Control', 'no-store');
  answer.on('error', () => res.destroy());
  answer.pipe(res);
}
