import {
  INVALID_JWT,
  leadwayError,
  noSuchEndpoint,
  UNSUPPORTED_CLASS,
  uploadError,
} from './leadway-responses.ts';
import { rateHeaders } from './rate-limit.ts';
import {
  deliver,
  endConnection,
  pause,
  type RequestContext,
  type SandboxResponse,
  waitForEnd,
} from './request-context.ts';

const RESET_AFTER_BYTES = 8 * 1024;
const HUGE_BYTES = 2.5 * 1024 * 1024;

const TOO_LARGE = 'File size exceeds the limit';

// Sockets whose next request is to find them reset, as one that the other side closed while it was idle.
const staleSockets = new WeakSet<object>();

/** Plays the faults that strike before the body is read. */
export function injectAtStart(context: RequestContext): void {
  if (staleSockets.has(context.req.socket)) endConnection(context, 'reset');
  if (context.fault === 'refuse' || context.fault === 'storage-refuse') endConnection(context, 'close');
}

/** Plays the faults that strike while the body arrives; called after every piece of it. */
export async function injectDuringBody(context: RequestContext): Promise<void> {
  if (context.responded) return;
  switch (context.fault) {
    case 'refuse':
      return endConnection(context, 'close');
    case 'stops-reading':
    case 'storage-stops-reading':
      return waitForEnd(context);
    case 'reset-mid-upload':
    case 'storage-reset':
      if (context.record.bodyBytes >= RESET_AFTER_BYTES) endConnection(context, 'reset');
      return;
    case 'early-413':
      await deliver(context, uploadError(413, TOO_LARGE));
      return closeLater(context);
    case 'early-401':
      await deliver(context, leadwayError(401, INVALID_JWT));
      return closeLater(context);
    case 'early-413-stuck':
      await deliver(context, uploadError(413, TOO_LARGE));
      await pause(context, context.settings.slowMs);
      return endConnection(context, 'close');
    case 'early-413-close':
      await deliver(context, uploadError(413, TOO_LARGE));
      return endConnection(context, 'reset');
  }
}

function closeLater(context: RequestContext): void {
  pause(context, context.settings.slowMs).then(
    () => context.req.socket.destroy(),
    () => {},
  );
}

/** Plays the faults that strike once the body is read; the response, if any, replaces the ordinary one. */
export async function injectAtEnd(context: RequestContext, bearer: string): Promise<SandboxResponse | null> {
  const { fault } = context;
  switch (fault) {
    case 'refuse':
      return endConnection(context, 'close');
    case 'never-answers':
    case 'storage-never-answers':
    case 'stops-reading':
    case 'storage-stops-reading':
      return waitForEnd(context);
    case 'reset-mid-upload':
    case 'storage-reset':
      return endConnection(context, 'reset');
    case 'stale-keep-alive':
      staleSockets.add(context.req.socket);
      return null;
    default:
      return fault === null ? null : responseOf(fault, context, bearer);
  }
}

function responseOf(fault: string, context: RequestContext, bearer: string): SandboxResponse | null {
  const status = /^status-(\d{3})$/.exec(fault)?.[1];
  if (status !== undefined) return statusResponse(Number(status));
  switch (fault) {
    case 'early-413':
    case 'early-413-stuck':
    case 'early-413-close':
      return uploadError(413, TOO_LARGE);
    case 'early-401':
    case 'bad-token':
      return leadwayError(401, INVALID_JWT);
    case 'no-scope':
      return leadwayError(401, 'The token is not authorized for this scope.');
    case 'auth-class':
    case 'initiate-401-class':
      return leadwayError(401, UNSUPPORTED_CLASS);
    case 'no-initiate':
      return noSuchEndpoint(context.record.method, context.record.path);
    case 'html':
      return {
        status: 200,
        headers: { 'Content-Type': 'text/html; charset=utf-8' },
        body: '<!doctype html><title>Leadway</title><h1>We will be back soon</h1>',
      };
    case 'bad-json':
      return {
        status: 200,
        headers: { 'Content-Type': 'application/json; charset=utf-8' },
        body: '{"uploadedFiles":{"photo.jpg":',
      };
    case 'huge-json':
      return { status: 200, json: { uploadedFiles: {}, padding: 'x'.repeat(HUGE_BYTES) } };
    case 'empty-success':
      return { status: 200, json: {} };
    case '429':
    case '429-retry-after':
      return {
        ...leadwayError(429, 'Too Many Requests'),
        headers: {
          ...rateHeaders(context.settings.rateLimit, 0, context.settings.rateLimit.daily),
          ...(fault === '429-retry-after' && { 'Retry-After': '1' }),
        },
      };
    case 'leaky':
      return leadwayError(
        400,
        `PUT https://storage.googleapis.com/bucket/file.pdf?X-Goog-Algorithm=GOOG4-RSA-SHA256&X-Goog-Signature=0badc0de ` +
          `failed for Bearer ${bearer} at 10.23.45.67:8443`,
      );
    default:
      return null;
  }
}

function statusResponse(status: number): SandboxResponse {
  const response = leadwayError(status, `Sandbox fault ${status}`);
  return status >= 300 && status < 400
    ? { ...response, headers: { Location: 'https://elsewhere.example/conversations/messages/upload' } }
    : response;
}
