import type { Localised } from '../errors/messages.ts';
import type { Matcher } from './matcher.ts';

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
  /** With its article, to stand behind "it looks like". */
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
