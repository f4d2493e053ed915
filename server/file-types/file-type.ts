import type { Localised } from '../errors/messages.ts';

/** What `ALLOWED_TYPES` can add at once, as in `+image`. */
export const FAMILIES = ['image', 'video', 'audio', 'office', 'archive', 'text', 'contact'] as const;

export type Family = (typeof FAMILIES)[number];

/** What a person with a file of a kind that is not accepted can do; see `type-messages.ts`. */
export type Advice = 'save' | 'saveOrPack' | 'rename' | 'pack' | 'heic' | 'owner' | 'program';

/** One file under `types/`: all that the server knows of one type. */
export interface FileTypeDefinition {
  readonly name: string;
  readonly extensions: readonly string[];
  /** What may be declared; the first is the canonical one, which is sent upstream. */
  readonly mimeTypes: readonly [string, ...string[]];
  /** Null for a type that is accepted only where it is listed by name. */
  readonly family: Family | null;
  /** Whether it is accepted where `ALLOWED_TYPES` says nothing. */
  readonly isDefault: boolean;
  readonly matcher: Matcher;
  /** With its article, to follow "it looks like". */
  readonly label: Localised;
  /** The label where a file of this extension turns out to be something else, if `label` would not be clear. */
  readonly expected?: Localised;
  readonly advice?: Advice;
  /** Extensions of the types that it can be saved as. */
  readonly saveAs?: readonly string[];
}

export interface FileType extends FileTypeDefinition {
  /** The canonical MIME type, the only one that is ever sent upstream. */
  readonly contentType: string;
}

export function defineFileType(definition: FileTypeDefinition): FileType {
  return Object.freeze({ ...definition, contentType: definition.mimeTypes[0] });
}

/** Enough for every signature that is looked at; the same number as file-type's own sample. */
export const LEADING_BYTES = 4100;

/** What file-type recognises in the leading bytes. */
export interface Recognised {
  readonly ext: string;
  readonly mime: string;
}

/** Whether the content is of the expected kind; if not, the MIME type of what it is instead, where that is known. */
export type Match =
  | { readonly matches: true }
  | { readonly matches: false; readonly detected: string | null };

/** Follows one file to its end, where its leading bytes alone do not settle what it is. */
export interface StructureCheck<Result = Match> {
  /**
   * Takes every chunk of the file in order, beginning with the first byte. Synchronous and cheap; what has to be kept is
   * copied, so the chunk may be reused afterwards.
   */
  update(chunk: Buffer): void;
  /** Call it after the last byte. */
  finish(): Result;
}

export type LeadingBytesMatch =
  /** `structure` reads the whole file where the leading bytes can't settle it. */
  | { readonly matches: true; readonly structure: StructureCheck | null }
  | { readonly matches: false; readonly detected: string | null };

/** Knows one kind of file by its content. */
export interface Matcher {
  /** `bytes` are the first LEADING_BYTES of the file or more; all of it when `isWhole`. */
  match(bytes: Buffer, isWhole: boolean): LeadingBytesMatch;
  /**
   * Whether file-type's opinion of leading bytes that match speaks against it (a polyglot); null if the
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
  return { match: (bytes) => (isKind(bytes) ? MATCH : mismatch()), contradictedBy: null };
}
