import type { Socket } from 'node:net';
import type { NextFunction, Request, RequestHandler, Response } from 'express';
import type { AppContext } from '../server/context.ts';
import { toAppError } from '../server/errors/app-error.ts';
import { logFieldsOf } from '../server/http/log-fields.ts';
import { requestIdOf } from '../server/http/request-id.ts';
import { isResponseSent, onResponseEnd } from '../server/http/response-end.ts';

/** Status of a request whose client disconnected before the response; nginx's number for it. */
const CLIENT_CLOSED_REQUEST = 499;

/** Byte counts of the connection at the end of its last request. */
const COUNTED = Symbol('counted');

type WithCount = Socket & { [COUNTED]?: { readonly read: number; readonly written: number } };

/** No origin of a real page is longer. */
const MAX_ORIGIN_LENGTH = 255;

/** Writes one line a request when it has ended; `docs/deployment/logs.md` explains its fields. */
export function createAccessLog({
  logger,
  observers,
  lifecycle,
}: Pick<AppContext, 'logger' | 'observers' | 'lifecycle'>): RequestHandler {
  return function accessLog(req: Request, res: Response, next: NextFunction) {
    const startedAt = performance.now();
    const socket: WithCount = req.socket;
    const before = socket[COUNTED] ?? { read: 0, written: 0 };
    // No query: it may contain personal ids.
    const path = req.path;
    const ip = req.ip; // gone with the connection
    const { origin } = req.headers; // gone where a proxy has made its own headers
    onResponseEnd(res, () => {
      const logFields = logFieldsOf(req);
      const { error, route = path, isRepeat: _isRepeat, ...facts } = logFields;
      const isResponded = isResponseSent(res);
      const status = isResponded ? res.statusCode : CLIENT_CLOSED_REQUEST;
      const durationMs = performance.now() - startedAt;
      observers.requestEnded({ req, method: req.method, path, status, durationMs, logFields });
      socket[COUNTED] = { read: socket.bytesRead, written: socket.bytesWritten };
      const level = levelOf(path, error?.status);
      logger[level](
        {
          requestId: requestIdOf(req),
          method: req.method,
          route,
          status,
          ...(error && { code: error.code }),
          durationMs: Math.round(durationMs),
          bytesIn: socket.bytesRead - before.read,
          bytesOut: socket.bytesWritten - before.written,
          ip,
          ...(origin !== undefined && { origin: origin.slice(0, MAX_ORIGIN_LENGTH) }),
          ...facts,
          ...(error?.code === 'TYPE_MISMATCH' && { detected: error.options.details?.['detected'] ?? null }),
          ...(error?.options.upstreamTraceId && { upstreamTraceId: error.options.upstreamTraceId }),
          ...(error && error.status >= 500 && { err: error }),
        },
        isResponded
          ? 'request'
          : lifecycle.phase === 'closing'
            ? 'request: cut off by the shutdown'
            : 'request: the client disconnected',
      );
    });
    next();
  };
}

function levelOf(path: string, errorStatus: number | undefined): 'debug' | 'info' | 'warn' | 'error' {
  if (path === '/healthz' || path === '/readyz') return 'debug';
  if (errorStatus === 500) return 'error';
  return errorStatus !== undefined && errorStatus > 500 ? 'warn' : 'info';
}

/**
 * Logs what becomes of a request that goes on after its client has disconnected: its line in the access log was written
 * then.
 */
export function logLateOutcome(
  { logger }: Pick<AppContext, 'logger'>,
  req: Request,
  outcome: Promise<unknown>,
): void {
  const facts = () => {
    const { error: _error, isRepeat: _isRepeat, ...fields } = logFieldsOf(req);
    return { requestId: requestIdOf(req), ...fields };
  };
  outcome.then(
    () => logger.info(facts(), 'succeeded after the client had disconnected'),
    (error: unknown) =>
      logger.warn({ ...facts(), code: toAppError(error).code }, 'failed after the client had disconnected'),
  );
}
