export interface TypeProblem {
  readonly code: 'TYPE_NOT_ALLOWED' | 'TYPE_MISMATCH';
  readonly details: {
    extension: string;
    declared: string | null;
    /** What the content looks like: a MIME type, or null when it is not recognised or was not looked at. */
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
    details: {
      extension: echo(extension),
      declared: declared && echo(declared),
      detected: null,
      allowed: [...allowed],
    },
  };
}

export function typeMismatch(
  extension: string,
  declared: string | null,
  detected: string | null,
): TypeProblem {
  return {
    code: 'TYPE_MISMATCH',
    details: { extension: echo(extension), declared: declared && echo(declared), detected },
  };
}
