import { createHash } from 'node:crypto';
import type { CapturedRequest } from './messages.ts';

/** What a captured request says, and what its only file is. */
export function readCaptured(head: string, body: Buffer): CapturedRequest {
  const boundary = /\r\ncontent-type: *multipart\/form-data; *boundary="?([^"\r\n;]+)/i.exec(head)?.[1];
  if (boundary === undefined) throw new Error('the upstream got a request that is no form');
  const disposition = body.indexOf('; filename="');
  const begin = body.indexOf('\r\n\r\n', disposition) + 4;
  const end = body.indexOf(`\r\n--${boundary}`, begin);
  if (disposition === -1 || end === -1) throw new Error('the upstream got a form without a whole file');
  const file = body.subarray(begin, end);
  return {
    authorization: /\r\nauthorization: *([^\r\n]+)/i.exec(head)?.[1] ?? null,
    fileBytes: file.length,
    fileSha256: createHash('sha256').update(file).digest('hex'),
  };
}
