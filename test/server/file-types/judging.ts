import { ALL_EXTENSIONS, HEAD_BYTES } from '../../../server/file-types/file-types.ts';
import { createTypePolicy, type TypePolicy } from '../../../server/file-types/type-policy.ts';
import { type HeadVerdict, judgeHead, type TypeProblem } from '../../../server/file-types/verdict.ts';

export const everything = createTypePolicy(ALL_EXTENSIONS);

interface Upload {
  readonly filename: string;
  readonly declared?: string | null;
  readonly multipart?: boolean;
  readonly policy?: TypePolicy;
}

export function judgeBeginning(head: Buffer, upload: Upload, complete = false): Promise<HeadVerdict> {
  return judgeHead({ declared: null, multipart: true, policy: everything, ...upload, head, complete });
}

/** The verdict on a whole upload that arrives in pieces: null, or the problem. */
export async function judgeStream(
  bytes: Buffer,
  upload: Upload,
  pieces: (bytes: Buffer) => Iterable<Buffer> = (whole) => [whole],
): Promise<TypeProblem | null> {
  const verdict = await judgeBeginning(bytes.subarray(0, HEAD_BYTES), upload, bytes.length <= HEAD_BYTES);
  if (!verdict.ok) return verdict.problem;
  if (!verdict.body) return null;
  for (const piece of pieces(bytes)) verdict.body.update(piece);
  return verdict.body.finish();
}

export function* inPiecesOf(size: number, bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
