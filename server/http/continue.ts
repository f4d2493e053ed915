import type { IncomingMessage, ServerResponse } from 'node:http';

const SENT = Symbol('100 Continue sent');

type Expecting = IncomingMessage & { [SENT]?: true };

/**
 * Lets a client that sent `Expect: 100-continue` begin its body (RFC 9110, section 10.1.1). Called by whatever is
 * about to read the body, after everything that can be rejected without it.
 */
export function letBodyCome(req: Expecting, res: ServerResponse): void {
  if (req.headers.expect === undefined || res.headersSent) return;
  req[SENT] = true;
  res.writeContinue();
}

/** Whether the client holds its body back until `100 Continue`, which it has not been sent. */
export function isBodyHeldBack(req: Expecting): boolean {
  return req.headers.expect !== undefined && req[SENT] === undefined;
}
