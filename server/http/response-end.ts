import type { ServerResponse } from 'node:http';

type LogFields = 'sent' | 'cut';

const LOG_FIELDS = Symbol('response outcome');
const CHOSEN = Symbol('response chosen');
const END = Symbol('response end');

/** `null` while the response is open; undefined as long as nobody has asked. */
type Tracked = ServerResponse & { [LOG_FIELDS]?: LogFields | null; [CHOSEN]?: true };

/**
 * Calls `listener` once when the response has ended: all of it was handed to the kernel, or its connection is gone.
 * At once where that has happened already.
 *
 * This is not `close`. A response that comes before the request's body stays open until the body has been read
 * (lingering-close.ts), and no slot, counter or log line waits for that.
 */
export function onResponseEnd(res: Tracked, listener: () => void): void {
  if (isResponseOpen(res)) res.once(END, listener);
  else listener();
}

/** As {@link onResponseEnd}, but before the listeners that were added earlier, such as the access log's. */
export function onResponseEndFirst(res: Tracked, listener: () => void): void {
  if (isResponseOpen(res)) res.prependOnceListener(END, listener);
  else listener();
}

/** A signal that is aborted when the client disconnects before the response was sent. */
export function disconnectSignal(res: Tracked): AbortSignal {
  const disconnected = new AbortController();
  onResponseEnd(res, () => {
    if (!isResponseSent(res)) disconnected.abort();
  });
  return disconnected.signal;
}

/** Whether something may still become of the response: it was not sent yet, and its connection is there. */
export function isResponseOpen(res: Tracked): boolean {
  if (res[LOG_FIELDS] === undefined) {
    res[LOG_FIELDS] = res.closed ? closingOutcome(res) : null;
    res.once('close', () => markResponseEnd(res, closingOutcome(res)));
  }
  return res[LOG_FIELDS] === null;
}

/** Whether no response has been chosen for the request yet, and one could still be sent. */
export function canRespond(res: Tracked): boolean {
  return !res.headersSent && !res.destroyed && res[CHOSEN] === undefined;
}

/** Notes that the response is chosen, although nothing of it was sent yet. */
export function markResponseChosen(res: Tracked): void {
  res[CHOSEN] = true;
}

/** Whether the whole response was handed to the kernel. */
export function isResponseSent(res: Tracked): boolean {
  return res[LOG_FIELDS] === 'sent' || res.writableFinished;
}

/** Ends the response for those who wait with {@link onResponseEnd}. The first outcome stands. */
export function markResponseEnd(res: Tracked, outcome: LogFields): void {
  if (!isResponseOpen(res)) return;
  res[LOG_FIELDS] = outcome;
  res.emit(END);
}

function closingOutcome(res: ServerResponse): LogFields {
  return res.writableFinished ? 'sent' : 'cut';
}
