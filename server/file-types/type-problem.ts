import { kindOfExtension } from './kinds.ts';

export interface TypeProblem {
  readonly code: 'TYPE_NOT_ALLOWED' | 'TYPE_MISMATCH';
  /** What disagrees: the extension with the list, or the content or only the declared type with the extension. */
  readonly reason: 'extension' | 'content' | 'declared';
  readonly details: {
    extension: string;
    declared: string | null;
    /**
     * What the content looks like: a MIME type, or null when it is not recognised or was not looked at. For an extension
     * off the list, which takes no content to reject, the type that the extension stands for.
     */
    detected: string | null;
    allowed?: string[];
  };
}

/** Names come from the caller: an answer repeats a bounded part of them. */
const MAX_ECHOED_CHARACTERS = 100;

function echo(text: string): string {
  return text.slice(0, MAX_ECHOED_CHARACTERS);
}

export function typeNotAllowed(
  extension: string,
  declared: string | null,
  allowed: ReadonlySet<string>,
): TypeProblem {
  return {
    code: 'TYPE_NOT_ALLOWED',
    reason: 'extension',
    details: {
      extension: echo(extension),
      declared: declared && echo(declared),
      detected: kindOfExtension(extension)?.mimeType ?? null,
      allowed: [...allowed],
    },
  };
}

export function typeMismatch(
  reason: 'content' | 'declared',
  extension: string,
  declared: string | null,
  detected: string | null,
): TypeProblem {
  return {
    code: 'TYPE_MISMATCH',
    reason,
    details: { extension: echo(extension), declared: declared && echo(declared), detected },
  };
}
