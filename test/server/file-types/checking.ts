import {
  ALL_EXTENSIONS,
  createTypePolicy,
  LEADING_BYTES,
  type TypePolicy,
} from '../../../server/file-types/file-types.ts';
import {
  type ContentValidation,
  checkContent,
  type TypeProblem,
} from '../../../server/file-types/validation.ts';

export const everything = createTypePolicy(ALL_EXTENSIONS);

interface Upload {
  readonly filename: string;
  readonly declared?: string | null;
  readonly multipart?: boolean;
  readonly policy?: TypePolicy;
}

export function checkBeginning(head: Buffer, upload: Upload, isWhole = false): Promise<ContentValidation> {
  const { filename, declared = null, multipart = true, policy = everything } = upload;
  return checkContent({
    filename,
    declaredType: declared,
    isMultipart: multipart,
    policy,
    bytes: head,
    isWhole,
  });
}

/** Checks a whole upload that arrives in pieces: null, or the problem. */
export async function checkStream(
  bytes: Buffer,
  upload: Upload,
  pieces: (bytes: Buffer) => Iterable<Buffer> = (whole) => [whole],
): Promise<TypeProblem | null> {
  const result = await checkBeginning(
    bytes.subarray(0, LEADING_BYTES),
    upload,
    bytes.length <= LEADING_BYTES,
  );
  if (!result.ok) return result.problem;
  if (!result.structure) return null;
  for (const piece of pieces(bytes)) result.structure.update(piece);
  return result.structure.finish();
}

export function* inPiecesOf(size: number, bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
