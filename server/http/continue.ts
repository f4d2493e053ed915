import type { IncomingMessage, ServerResponse } from 'node:http';

/**
 * Lets a caller who sent `Expect: 100-continue` begin its body (RFC 9110, section 10.1.1). Called by whoever
 * is about to read the body, after everything that can be refused without it.
 */
export function letBodyCome(req: IncomingMessage, res: ServerResponse): void {
  if (req.headers.expect !== undefined && !res.headersSent) res.writeContinue();
}
