import { declarationFits } from './declared-type.ts';
import { extensionOf, type FileType, fileTypeOfExtension, type TypePolicy } from './file-types.ts';
import { kindOfExtension } from './kinds.ts';
import type { LeadingBytesMatch, StructureCheck } from './matcher.ts';
import { describeContent, recognise } from './recognise.ts';

export interface TypeProblem {
  readonly code: 'TYPE_NOT_ALLOWED' | 'TYPE_MISMATCH';
  /** What disagrees: the extension with the list, or the content or only the declared type with the extension. */
  readonly reason: 'extension' | 'content' | 'declared';
  readonly details: {
    extension: string;
    declared: string | null;
    /**
     * What the content looks like: a MIME type, or null when it is not recognised or was not looked at. For an extension
     * off the list, whose content is not looked at, the type that the extension stands for.
     */
    detected: string | null;
    allowed?: string[];
  };
}

export interface DeclaredInput {
  readonly filename: string;
  /** The Content-Type that came with the file; null when none did. */
  readonly declared: string | null;
  readonly multipart: boolean;
  readonly policy: TypePolicy;
}

export interface LeadingBytesInput extends DeclaredInput {
  /** The first LEADING_BYTES or more, or the whole file when `isWhole`. */
  readonly bytes: Buffer;
  readonly isWhole: boolean;
}

type Failure = { readonly ok: false; readonly problem: TypeProblem };

export type NameValidation = { readonly ok: true; readonly type: FileType } | Failure;

export type ContentValidation =
  | {
      readonly ok: true;
      readonly type: FileType;
      /** Needs the whole file, from its first byte; null where the leading bytes settle it. */
      readonly structure: StructureValidator | null;
    }
  | Failure;

/** Follows a file to its end, where its leading bytes alone do not settle what it is. */
export interface StructureValidator {
  /**
   * Takes every chunk of the file in order, beginning with the first byte. Synchronous and cheap;
   * what has to be kept is copied, so the chunk may be reused afterwards.
   */
  update(chunk: Buffer): void;
  /** To be called after the last byte: null when the structure is right, else the problem. */
  finish(): TypeProblem | null;
}

/** Whether the extension is on the list, which no content is needed for. */
export function checkName({ filename, declared, policy }: DeclaredInput): NameValidation {
  const extension = extensionOf(filename);
  const type = policy.allowed.has(extension) ? fileTypeOfExtension(extension) : undefined;
  if (!type) return { ok: false, problem: typeNotAllowed(extension, declared, policy.allowed) };
  return { ok: true, type };
}

/** Checks name and declared type. An extension off the list is not allowed; any other disagreement is a mismatch. */
export async function checkDeclaredType(input: DeclaredInput): Promise<NameValidation> {
  const byName = checkName(input);
  if (!byName.ok || (await declarationFits(input.declared, byName.type, input))) return byName;
  return { ok: false, problem: typeMismatch('declared', extensionOf(input.filename), input.declared, null) };
}

/** Checks name, declared type and the beginning of the content; no bytes make it throw. */
export async function checkLeadingBytes(input: LeadingBytesInput): Promise<ContentValidation> {
  const { declared, bytes, isWhole } = input;
  const byName = checkName(input);
  if (!byName.ok) return byName;
  const { type } = byName;
  const { matcher } = type;
  const extension = extensionOf(input.filename);
  const match = settle(matcher.checkLeadingBytes(bytes, isWhole), bytes, isWhole);
  const mismatch = (detected: string | null) => typeMismatch('content', extension, declared, detected);
  const isSettled = match.matches && (!matcher.contradictedBy || matcher.isDoubtful?.(bytes) === false);
  const recognised = isSettled ? null : await recognise(bytes);

  if (!match.matches) {
    const detected = match.detected ?? withoutOwn(type, describeContent(bytes, recognised));
    return { ok: false, problem: mismatch(detected) };
  }
  if (recognised && matcher.contradictedBy?.(recognised)) {
    return { ok: false, problem: mismatch(recognised.mime) };
  }
  if (!(await declarationFits(declared, type, input))) {
    const detected = describeContent(bytes, recognised ?? (await recognise(bytes)));
    return { ok: false, problem: typeMismatch('declared', extension, declared, detected) };
  }
  return { ok: true, type, structure: match.structure && createValidator(match.structure, mismatch) };
}

/** With the whole file in hand there is nothing to wait for. */
function settle(match: LeadingBytesMatch, bytes: Buffer, isWhole: boolean): LeadingBytesMatch {
  if (!match.matches || !match.structure || !isWhole) return match;
  match.structure.update(bytes);
  const settled = match.structure.finish();
  return settled.matches ? { matches: true, structure: null } : settled;
}

function createValidator(
  structure: StructureCheck,
  toProblem: (detected: string | null) => TypeProblem,
): StructureValidator {
  return {
    update: (chunk) => structure.update(chunk),
    finish() {
      const match = structure.finish();
      return match.matches ? null : toProblem(match.detected);
    },
  };
}

/** A broken JPEG is not reported as "you said JPEG, but it is JPEG". */
function withoutOwn(type: FileType, detected: string | null): string | null {
  return detected === type.contentType ? null : detected;
}

/** Names come from the client: a response repeats a bounded part of them. */
const MAX_ECHOED_CHARACTERS = 100;

function echo(text: string): string {
  return text.slice(0, MAX_ECHOED_CHARACTERS);
}

function typeNotAllowed(
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

function typeMismatch(
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
