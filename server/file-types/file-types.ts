import type { Family, FileType } from './file-type.ts';
import { threeGp } from './types/3gp.ts';
import { aac } from './types/aac.ts';
import { aiff } from './types/aiff.ts';
import { amr } from './types/amr.ts';
import { csv } from './types/csv.ts';
import { doc } from './types/doc.ts';
import { docx } from './types/docx.ts';
import { gif } from './types/gif.ts';
import { heic } from './types/heic.ts';
import { ics } from './types/ics.ts';
import { jpg } from './types/jpg.ts';
import { m4a } from './types/m4a.ts';
import { mp3 } from './types/mp3.ts';
import { mp4 } from './types/mp4.ts';
import { mpeg } from './types/mpeg.ts';
import { odt } from './types/odt.ts';
import { ogg } from './types/ogg.ts';
import { pdf } from './types/pdf.ts';
import { png } from './types/png.ts';
import { ppt } from './types/ppt.ts';
import { pptx } from './types/pptx.ts';
import { rar } from './types/rar.ts';
import { txt } from './types/txt.ts';
import { vcf } from './types/vcf.ts';
import { wav } from './types/wav.ts';
import { xls } from './types/xls.ts';
import { xlsx } from './types/xlsx.ts';
import { zip } from './types/zip.ts';

export type { Family, FileType } from './file-type.ts';
export { LEADING_BYTES } from './file-type.ts';

/** Every type that this server can check, in the order of docs/types.md. */
export const FILE_TYPES = {
  jpg,
  png,
  mp4,
  mpeg,
  zip,
  rar,
  pdf,
  doc,
  docx,
  txt,
  mp3,
  wav,
  vcf,
  gif,
  heic,
  '3gp': threeGp,
  aiff,
  ogg,
  aac,
  m4a,
  amr,
  csv,
  xls,
  xlsx,
  ppt,
  pptx,
  odt,
  ics,
} as const satisfies Readonly<Record<string, FileType>>;

const ALL: readonly FileType[] = Object.values(FILE_TYPES);

const BY_EXTENSION: ReadonlyMap<string, FileType> = new Map(
  ALL.flatMap((type) => type.extensions.map((extension): [string, FileType] => [extension, type])),
);

export const ALL_EXTENSIONS: readonly string[] = [...BY_EXTENSION.keys()];

export const DEFAULT_ALLOWED: readonly string[] = extensionsOf(({ isDefault }) => isDefault);

export function extensionsOfFamily(family: Family): readonly string[] {
  return extensionsOf((type) => type.family === family);
}

function extensionsOf(isWanted: (type: FileType) => boolean): readonly string[] {
  return ALL.filter(isWanted).flatMap(({ extensions }) => extensions);
}

export function fileTypeOfExtension(extension: string): FileType | undefined {
  return BY_EXTENSION.get(extension.toLowerCase());
}

/**
 * What follows the last dot, in lower case; `''` when there is none, or nothing before or after it.
 * Nothing is trimmed: `a.jpg ` and `a.jpg.` have no extension of the list, which is the safe reading.
 */
export function extensionOf(filename: string): string {
  const base = filename.slice(Math.max(filename.lastIndexOf('/'), filename.lastIndexOf('\\')) + 1);
  const dot = base.lastIndexOf('.');
  return dot > 0 ? base.slice(dot + 1).toLowerCase() : '';
}

export interface TypePolicy {
  /** Extensions in lower case without a dot: `jpg` does not bring `jpeg` along. */
  readonly allowed: ReadonlySet<string>;
}

/** @throws TypeError for an extension that no type has. */
export function createTypePolicy(extensions: readonly string[]): TypePolicy {
  const allowed = new Set(extensions.map((extension) => extension.trim().toLowerCase()));
  for (const extension of allowed) {
    if (!fileTypeOfExtension(extension)) {
      throw new TypeError(
        `unknown file extension "${extension}": expected some of ${ALL_EXTENSIONS.join(', ')}`,
      );
    }
  }
  return { allowed };
}
