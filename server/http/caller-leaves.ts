import type { ServerResponse } from 'node:http';
import { Ending } from './ending.ts';
import { isResponseSent, onResponseEnd } from './response-end.ts';

/** The end that comes when the client of `res` disconnects before its response was sent. */
export function whenCallerLeaves(res: ServerResponse): Ending {
  const over = new Ending();
  onResponseEnd(res, () => {
    if (!isResponseSent(res)) over.end();
  });
  return over;
}
