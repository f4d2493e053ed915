import type { FileType } from './file-types.ts';

/** RFC 9110 section 8.3.1: both halves are tokens. */
const MEDIA_TYPE = /^[!#$%&'*+.^_`|~0-9a-z-]+\/[!#$%&'*+.^_`|~0-9a-z-]+$/;

export interface DeclaredContext {
  /** In a multipart part `text/plain` is also what a missing Content-Type means (RFC 7578 section 4.4). */
  readonly multipart: boolean;
}

/**
 * Whether what the caller declared leaves `type` possible. Saying nothing does, and so does
 * `application/octet-stream`, which is how programs say that they don't know; nonsense does not.
 */
export function declarationFits(
  declared: string | null,
  type: FileType,
  { multipart }: DeclaredContext,
): boolean {
  const essence = (declared ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
  if (essence === '') return (declared ?? '').trim() === '';
  if (essence === 'application/octet-stream') return true;
  if (multipart && essence === 'text/plain') return true;
  return MEDIA_TYPE.test(essence) && type.mimeTypes.includes(essence);
}
