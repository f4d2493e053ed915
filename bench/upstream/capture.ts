import { createHash } from 'node:crypto';
import type { CapturedRequest } from '../messages.ts';

/** What a captured request says, and what its only file is. */
export function readCaptured(head: string, body: Buffer): CapturedRequest {
  return {
    authorization: /\r\nauthorization: *([^\r\n]+)/i.exec(head)?.[1] ?? null,
    file: readFile(head, body),
  };
}

function readFile(head: string, body: Buffer): CapturedRequest['file'] {
  const boundary = /\r\ncontent-type: *multipart\/form-data; *boundary="?([^"\r\n;]+)/i.exec(head)?.[1];
  if (boundary === undefined) return null;
  const disposition = body.indexOf('; filename="');
  const begin = body.indexOf('\r\n\r\n', disposition) + 4;
  const end = body.indexOf(`\r\n--${boundary}`, begin);
  if (disposition === -1 || end === -1) throw new Error('the upstream got a form without a whole file');
  const file = body.subarray(begin, end);
  return { bytes: file.length, sha256: createHash('sha256').update(file).digest('hex') };
}
