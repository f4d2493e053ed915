import type { ServerResponse } from 'node:http';

/** A signal that is aborted when the caller of `res` leaves before its answer was sent. */
export function whenCallerLeaves(res: ServerResponse): AbortSignal {
  const controller = new AbortController();
  res.once('close', () => {
    if (!res.writableFinished) controller.abort();
  });
  return controller.signal;
}
