/** Enough for every signature that is looked at; the same number as file-type's own sample. */
export const LEADING_BYTES = 4100;

/** What file-type makes of the leading bytes. */
export interface Recognised {
  readonly ext: string;
  readonly mime: string;
}

/** Whether the content is of the expected kind; if not, the MIME type of what it is instead, where that is known. */
export type Match =
  | { readonly matches: true }
  | { readonly matches: false; readonly detected: string | null };

/** Follows one file to its end; each call of `update` brings the next bytes, beginning with the first. */
export interface StructureCheck {
  update(chunk: Buffer): void;
  finish(): Match;
}

export type LeadingBytesMatch =
  /** `structure` reads the whole file where the leading bytes can't settle it. */
  | { readonly matches: true; readonly structure: StructureCheck | null }
  | { readonly matches: false; readonly detected: string | null };

/** Knows one kind of file by its content. */
export interface Matcher {
  /** `bytes` are the first LEADING_BYTES of the file or more; all of it when `isWhole`. */
  checkLeadingBytes(bytes: Buffer, isWhole: boolean): LeadingBytesMatch;
  /**
   * Whether file-type's opinion of leading bytes that match speaks against it (a polyglot); null where the
   * signature leaves no room for a second opinion.
   */
  readonly contradictedBy: ((recognised: Recognised) => boolean) | null;
  /** Whether `bytes` give reason to ask for that opinion; without this function, all that match do. */
  readonly isDoubtful?: (bytes: Buffer) => boolean;
}

export const MATCH: LeadingBytesMatch & Match = { matches: true, structure: null };

export function mismatch(detected: string | null = null): { matches: false; detected: string | null } {
  return { matches: false, detected };
}

/** For signatures: contradicted by every other kind that file-type sees in the same bytes. */
export function anythingBut(...extensions: string[]): (recognised: Recognised) => boolean {
  return ({ ext }) => !extensions.includes(ext);
}

/** A matcher for a signature at the first byte that no other kind begins with. */
export function signatureMatcher(isKind: (bytes: Buffer) => boolean): Matcher {
  return { checkLeadingBytes: (bytes) => (isKind(bytes) ? MATCH : mismatch()), contradictedBy: null };
}
