import type { LeadingBytesMatch, StructureCheck } from './file-type.ts';
import {
  extensionOf,
  FILE_TYPES,
  type FileType,
  fileTypeOfExtension,
  type TypePolicy,
} from './file-types.ts';
import { essenceOf, kindOfExtension } from './kinds.ts';
import { describeContent, isKnownToFileType, recognise } from './recognise.ts';

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
  readonly declaredType: string | null;
  readonly isMultipart: boolean;
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
      /** Needs the whole file, from its first byte; null if the leading bytes settle it. */
      readonly structure: StructureCheck<TypeProblem | null> | null;
    }
  | Failure;

/** Whether the extension is on the list, which no content is needed for. */
export function checkName({ filename, declaredType, policy }: DeclaredInput): NameValidation {
  const extension = extensionOf(filename);
  const type = policy.allowed.has(extension) ? fileTypeOfExtension(extension) : undefined;
  if (!type) return { ok: false, problem: typeNotAllowed(extension, declaredType, policy.allowed) };
  return { ok: true, type };
}

/** Checks name and declared type. An extension off the list is not allowed; any other disagreement is a mismatch. */
export async function checkDeclaredType(input: DeclaredInput): Promise<NameValidation> {
  const byName = checkName(input);
  if (!byName.ok || (await declarationFits(input.declaredType, byName.type, input))) return byName;
  return {
    ok: false,
    problem: typeMismatch('declared', extensionOf(input.filename), input.declaredType, null),
  };
}

/** Checks name, declared type and the beginning of the content; no bytes make it throw. */
export async function checkContent(input: LeadingBytesInput): Promise<ContentValidation> {
  const { declaredType, bytes, isWhole } = input;
  const byName = checkName(input);
  if (!byName.ok) return byName;
  const { type } = byName;
  const { matcher } = type;
  const extension = extensionOf(input.filename);
  const match = settle(matcher.match(bytes, isWhole), bytes, isWhole);
  const mismatch = (detected: string | null) => typeMismatch('content', extension, declaredType, detected);
  const isSettled = match.matches && (!matcher.contradictedBy || matcher.isDoubtful?.(bytes) === false);
  const recognised = isSettled ? null : await recognise(bytes);

  if (!match.matches) {
    const detected = match.detected ?? withoutOwn(type, describeContent(bytes, recognised));
    return { ok: false, problem: mismatch(detected) };
  }
  if (recognised && matcher.contradictedBy?.(recognised)) {
    return { ok: false, problem: mismatch(recognised.mime) };
  }
  if (!(await declarationFits(declaredType, type, input))) {
    return { ok: false, problem: typeMismatch('declared', extension, declaredType, type.contentType) };
  }
  return { ok: true, type, structure: match.structure && withProblem(match.structure, mismatch) };
}

/** With the whole file in hand there is nothing to wait for. */
function settle(match: LeadingBytesMatch, bytes: Buffer, isWhole: boolean): LeadingBytesMatch {
  if (!match.matches || !match.structure || !isWhole) return match;
  match.structure.update(bytes);
  const settled = match.structure.finish();
  return settled.matches ? { matches: true, structure: null } : settled;
}

function withProblem(
  structure: StructureCheck,
  toProblem: (detected: string | null) => TypeProblem,
): StructureCheck<TypeProblem | null> {
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
  declaredType: string | null,
  allowed: ReadonlySet<string>,
): TypeProblem {
  return {
    code: 'TYPE_NOT_ALLOWED',
    reason: 'extension',
    details: {
      extension: echo(extension),
      declared: declaredType && echo(declaredType),
      detected: kindOfExtension(extension)?.mimeType ?? null,
      allowed: [...allowed],
    },
  };
}

function typeMismatch(
  reason: 'content' | 'declared',
  extension: string,
  declaredType: string | null,
  detected: string | null,
): TypeProblem {
  return {
    code: 'TYPE_MISMATCH',
    reason,
    details: { extension: echo(extension), declared: declaredType && echo(declaredType), detected },
  };
}

/** RFC 9110 section 8.3.1: both halves are tokens. */
const MEDIA_TYPE = /^[!#$%&'*+.^_`|~0-9a-z-]+\/[!#$%&'*+.^_`|~0-9a-z-]+$/;

const ALL: readonly FileType[] = Object.values(FILE_TYPES);
const ROWS: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  ALL.map(({ name, mimeTypes }) => [name, new Set(mimeTypes.map(essenceOf))]),
);

/** What a browser would run, whatever else it is called. */
const TEXT_THAT_RUNS =
  /^text\/(?:html|xml|(?:x-)?(?:java|ecma)script|javascript1\.\d|jscript|livescript|vbscript)$/;

/** Programs, scripts and installers that file-type has no name for, or another one. */
const PROGRAMS: ReadonlySet<string> = new Set(
  [
    'bat ecmascript exe hta javascript vbscript vnd.microsoft.portable-executable x-bat x-csh x-dosexec',
    'x-ecmascript x-exe x-executable x-httpd-php x-java-archive x-javascript x-msdos-program x-msdownload x-msi',
    'x-object x-perl x-php x-pie-executable x-powershell x-python x-python-code x-ruby x-sh x-sharedlib',
    'x-shellscript x-winexe xhtml+xml',
  ]
    .flatMap((line) => line.split(' '))
    .map((subtype) => `application/${subtype}`),
);

export interface DeclaredContext {
  /** In a multipart part, many libraries send `text/plain` for everything (RFC 7578 section 4.4). */
  readonly isMultipart: boolean;
  readonly policy: TypePolicy;
}

/**
 * Whether what the client declared leaves `type` possible. Browsers take the type from the machine, so it is a hint:
 * one of the file's own row agrees, another one disagrees only when it names something else.
 */
async function declarationFits(
  declaredType: string | null,
  type: FileType,
  { isMultipart, policy }: DeclaredContext,
): Promise<boolean> {
  const essence = essenceOf(declaredType ?? '');
  if (isOfRow(essence, type)) return true;
  if (essence === 'application/octet-stream' || (isMultipart && essence === 'text/plain')) return true;
  return !saysSomething(essence, policy);
}

function isOfRow(essence: string, { name }: FileType): boolean {
  if (ROWS.get(name)?.has(essence)) return true;
  return (
    name === 'txt' && essence.startsWith('text/') && isConcrete(essence) && !TEXT_THAT_RUNS.test(essence)
  );
}

/** Accepting one more type makes its row count, and leaves the others as strict as they were. */
function isOfAnyRow(essence: string, { allowed }: TypePolicy): boolean {
  return ALL.some(({ name, isDefault, extensions }) => {
    const counts = isDefault || name === 'vcf' || extensions.some((extension) => allowed.has(extension));
    return counts && ROWS.get(name)?.has(essence);
  });
}

function saysSomething(essence: string, policy: TypePolicy): boolean {
  if (!isConcrete(essence)) return false;
  if (/^(?:image|audio|video|font|text)\//.test(essence)) return true;
  if (isOfAnyRow(essence, policy) || PROGRAMS.has(essence)) return true;
  // A compound file is whatever its content is, and some machines know no more than that.
  return essence !== 'application/x-cfb' && isKnownToFileType(essence);
}

function isConcrete(essence: string): boolean {
  return MEDIA_TYPE.test(essence) && !essence.endsWith('/*');
}
