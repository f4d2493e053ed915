import type { ServerResponse } from 'node:http';
import { Ending } from './ending.ts';

/** The end that comes when the caller of `res` leaves before its answer was sent. */
export function whenCallerLeaves(res: ServerResponse): Ending {
  const over = new Ending();
  res.once('close', () => {
    if (!res.writableFinished) over.end();
  });
  return over;
}
