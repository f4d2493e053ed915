import { FILE_TYPES, type FileType, type TypePolicy } from './file-types.ts';
import { isKnownToFileType } from './recognise.ts';

/** RFC 9110 section 8.3.1: both halves are tokens. */
const MEDIA_TYPE = /^[!#$%&'*+.^_`|~0-9a-z-]+\/[!#$%&'*+.^_`|~0-9a-z-]+$/;

const ALL: readonly FileType[] = Object.values(FILE_TYPES);
const ROWS: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  ALL.map(({ name, mimeTypes }) => [name, new Set(mimeTypes.map(toLower))]),
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
  readonly multipart: boolean;
  readonly policy: TypePolicy;
}

/**
 * Whether what the client declared leaves `type` possible. Browsers take the type from the machine, so it is a hint:
 * one of the file's own row agrees, another one disagrees only when it names something else.
 */
export async function declarationFits(
  declared: string | null,
  type: FileType,
  { multipart, policy }: DeclaredContext,
): Promise<boolean> {
  const essence = toLower((declared ?? '').split(';', 1)[0] ?? '').trim();
  if (isOfRow(essence, type)) return true;
  if (essence === 'application/octet-stream' || (multipart && essence === 'text/plain')) return true;
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

function toLower(text: string): string {
  return text.toLowerCase();
}
