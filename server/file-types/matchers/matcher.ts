import type { Recognised } from '../recognise.ts';

/** What a matcher says of a file: its own kind, or else what it saw instead, if it knows. */
export type Finding = { readonly fits: true } | { readonly fits: false; readonly detected: string | null };

/** Follows one file to its end; each call of `update` brings the next bytes, beginning with the first. */
export interface StructureInspector {
  update(chunk: Buffer): void;
  finish(): Finding;
}

export type HeadFinding =
  | { readonly fits: true; readonly inspector: StructureInspector | null }
  | { readonly fits: false; readonly detected: string | null };

/** Knows one row of the contract's table by its content. */
export interface Matcher {
  /** `head` is the file's beginning, or all of it when `complete`. */
  judgeHead(head: Buffer, complete: boolean): HeadFinding;
  /**
   * Whether file-type's opinion of a head that fits speaks against it (a polyglot); null where the
   * signature leaves no room for a second opinion, which saves asking.
   */
  readonly contradictedBy: ((recognised: Recognised) => boolean) | null;
  /** Whether `head` gives reason to ask for that opinion; without it, every head that fits does. */
  readonly isDoubtful?: (head: Buffer) => boolean;
}

export const FITS: HeadFinding & Finding = { fits: true, inspector: null };

export function differs(detected: string | null = null): { fits: false; detected: string | null } {
  return { fits: false, detected };
}

/** For signatures: every other kind that file-type sees in the same head is one too many. */
export function anythingBut(...extensions: string[]): (recognised: Recognised) => boolean {
  return ({ ext }) => !extensions.includes(ext);
}

/** A matcher that needs the head only, for a signature at the first byte that no other kind begins with. */
export function signatureMatcher(isKind: (head: Buffer) => boolean): Matcher {
  return { judgeHead: (head) => (isKind(head) ? FITS : differs()), contradictedBy: null };
}
