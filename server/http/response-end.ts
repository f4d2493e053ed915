import type { ServerResponse } from 'node:http';

// A response has four moments. They fall together unless it precedes the request's body (lingering-close.ts):
//   chosen   `res.end` was called: from then on, nothing else can be the response   canRespond
//   ended    all of it was handed to the kernel, or the connection has closed       onResponseEnd, isResponseSent
//   closed   the body has been read too; Node's own `close`                         lingering-close.ts, pipelining.ts
//   done     whatever the request began has ended, even without its client          onRequestEnd

/** `sent`: all of it was handed to the kernel. `cut`: the connection closed before. */
type Outcome = 'sent' | 'cut';

const OUTCOME = Symbol('response outcome');
const CHOSEN = Symbol('response chosen');
const END = Symbol('response end');
const WORK = Symbol('work of the request');

/** The outcome is `null` while the response is open, and undefined until it is asked for. */
type Tracked = ServerResponse & { [OUTCOME]?: Outcome | null; [CHOSEN]?: true; [WORK]?: Promise<unknown>[] };

/**
 * Calls `listener` once when the response has ended: it was handed to the kernel, or its connection has closed. Called
 * immediately if it has already ended.
 *
 * This is not `close`: a response that precedes the request's body stays open until the body has been read
 * (lingering-close.ts), and no slot, counter or log line waits for that.
 */
export function onResponseEnd(res: Tracked, listener: () => void): void {
  if (isResponseOpen(res)) res.once(END, listener);
  else listener();
}

/** Notes that `work` belongs to the request and may go on after its client has disconnected. */
export function addRequestWork(res: Tracked, work: Promise<unknown>): void {
  res[WORK] ??= [];
  res[WORK].push(work);
}

/** Calls `listener` once when the response has ended and all work of the request has, too. */
export function onRequestEnd(res: Tracked, listener: () => void): void {
  onResponseEnd(res, () => {
    if (res[WORK] === undefined) listener();
    else Promise.allSettled(res[WORK]).then(listener);
  });
}

/** A signal that is aborted if the client disconnects before the response is sent. */
export function disconnectSignal(res: Tracked): AbortSignal {
  const disconnected = new AbortController();
  onResponseEnd(res, () => {
    if (!isResponseSent(res)) disconnected.abort();
  });
  return disconnected.signal;
}

/** Whether the response has not been sent yet and its connection is open. */
export function isResponseOpen(res: Tracked): boolean {
  if (res[OUTCOME] === undefined) {
    res[OUTCOME] = res.closed ? outcomeAtClose(res) : null;
    res.once('close', () => markResponseEnd(res, outcomeAtClose(res)));
  }
  return res[OUTCOME] === null;
}

/** Whether no response has been chosen for the request yet, and one could still be sent. */
export function canRespond(res: Tracked): boolean {
  return !res.headersSent && !res.destroyed && res[CHOSEN] === undefined;
}

/** Notes that the response is chosen, although nothing of it has been sent yet. */
export function markResponseChosen(res: Tracked): void {
  res[CHOSEN] = true;
}

/** Whether the whole response was handed to the kernel. */
export function isResponseSent(res: Tracked): boolean {
  return res[OUTCOME] === 'sent' || res.writableFinished;
}

/** Calls the listeners of {@link onResponseEnd}. The first outcome stands. */
export function markResponseEnd(res: Tracked, outcome: Outcome): void {
  if (!isResponseOpen(res)) return;
  res[OUTCOME] = outcome;
  res.emit(END);
}

function outcomeAtClose(res: ServerResponse): Outcome {
  return res.writableFinished ? 'sent' : 'cut';
}
