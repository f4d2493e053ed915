import { type Answer, deliver, type Exchange, endConnection, pause, waitForEnd } from './exchange.ts';
import {
  INVALID_JWT,
  leadwayError,
  noSuchEndpoint,
  UNSUPPORTED_CLASS,
  uploadError,
} from './leadway-answers.ts';
import { rateHeaders } from './rate-limit.ts';

const RESET_AFTER_BYTES = 8 * 1024;
const HUGE_BYTES = 2.5 * 1024 * 1024;

const TOO_LARGE = 'File size exceeds the limit';

// Sockets whose next request is to find them reset, as one that the other side closed while it was idle.
const staleSockets = new WeakSet<object>();

/** Plays the faults that strike before the body is read. */
export function playAtStart(exchange: Exchange): void {
  if (staleSockets.has(exchange.req.socket)) endConnection(exchange, 'reset');
  if (exchange.fault === 'refuse' || exchange.fault === 'storage-refuse') endConnection(exchange, 'close');
}

/** Plays the faults that strike while the body arrives; called after every piece of it. */
export async function playDuringBody(exchange: Exchange): Promise<void> {
  if (exchange.answered) return;
  switch (exchange.fault) {
    case 'refuse':
      return endConnection(exchange, 'close');
    case 'stops-reading':
    case 'storage-stops-reading':
      return waitForEnd(exchange);
    case 'reset-mid-upload':
    case 'storage-reset':
      if (exchange.record.bodyBytes >= RESET_AFTER_BYTES) endConnection(exchange, 'reset');
      return;
    case 'early-413':
      await deliver(exchange, uploadError(413, TOO_LARGE));
      return closeLater(exchange);
    case 'early-401':
      await deliver(exchange, leadwayError(401, INVALID_JWT));
      return closeLater(exchange);
    case 'early-413-stuck':
      await deliver(exchange, uploadError(413, TOO_LARGE));
      await pause(exchange, exchange.settings.slowMs);
      return endConnection(exchange, 'close');
    case 'early-413-close':
      await deliver(exchange, uploadError(413, TOO_LARGE));
      return endConnection(exchange, 'reset');
  }
}

function closeLater(exchange: Exchange): void {
  pause(exchange, exchange.settings.slowMs).then(
    () => exchange.req.socket.destroy(),
    () => {},
  );
}

/** Plays the faults that strike once the body is read; the answer, if any, replaces the ordinary one. */
export async function playAtEnd(exchange: Exchange, bearer: string): Promise<Answer | null> {
  const { fault } = exchange;
  switch (fault) {
    case 'refuse':
      return endConnection(exchange, 'close');
    case 'never-answers':
    case 'storage-never-answers':
    case 'stops-reading':
    case 'storage-stops-reading':
      return waitForEnd(exchange);
    case 'reset-mid-upload':
    case 'storage-reset':
      return endConnection(exchange, 'reset');
    case 'stale-keep-alive':
      staleSockets.add(exchange.req.socket);
      return null;
    default:
      return fault === null ? null : answerOf(fault, exchange, bearer);
  }
}

function answerOf(fault: string, exchange: Exchange, bearer: string): Answer | null {
  const status = /^status-(\d{3})$/.exec(fault)?.[1];
  if (status !== undefined) return statusAnswer(Number(status));
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
      return noSuchEndpoint(exchange.record.method, exchange.record.path);
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
          ...rateHeaders(exchange.settings.rateLimit, 0, exchange.settings.rateLimit.daily),
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

function statusAnswer(status: number): Answer {
  const answer = leadwayError(status, `Sandbox fault ${status}`);
  return status >= 300 && status < 400
    ? { ...answer, headers: { Location: 'https://elsewhere.example/conversations/messages/upload' } }
    : answer;
}
