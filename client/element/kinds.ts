import type { ClientConfig } from '../types.ts';
import type { IconName } from './dom.ts';
import type { FileKind, Language, UploadTexts } from './texts.ts';

const KINDS: Readonly<Record<string, FileKind>> = {
  jpg: 'picture',
  jpeg: 'picture',
  png: 'picture',
  mp4: 'video',
  mpeg: 'video',
  mpg: 'video',
  mp3: 'audio',
  wav: 'audio',
  pdf: 'pdf',
  doc: 'word',
  docx: 'word',
  txt: 'text',
  zip: 'zip',
  rar: 'rar',
  vcf: 'contact',
};

const ICONS: Readonly<Partial<Record<FileKind, IconName>>> = {
  picture: 'picture',
  video: 'video',
  audio: 'audio',
  zip: 'archive',
  rar: 'archive',
};

/** The extension of a name in lower case; empty if it has none. */
export function extensionOf(name: string): string {
  return /.\.([^.]{1,9})$/.exec(name)?.[1]?.toLowerCase() ?? '';
}

/** The icon for a file of that extension. */
export function iconOf(extension: string): IconName {
  return ICONS[KINDS[extension] ?? 'any'] ?? 'document';
}

/** Whether `accept`, the words of the attribute of that name, has `file`; an empty one has all. */
export function isAccepted(accept: string, { name, type }: Pick<File, 'name' | 'type'>): boolean {
  const words = wordsOf(accept);
  const extension = extensionOf(name);
  return (
    !words.length ||
    words.some((word) => {
      if (word.startsWith('.')) return word === `.${extension}`;
      return word.endsWith('/*') ? type.startsWith(word.slice(0, -1)) : type === word;
    })
  );
}

/** The extensions that both the server and `accept` take; all of the server's where `accept` is empty. */
export function extensionsOf({ types }: Pick<ClientConfig, 'types'>, accept: string): string[] {
  return types.flatMap(({ extensions, mimeTypes }) =>
    extensions.filter((extension) =>
      // Any of the types of a kind will do: browsers differ in which one they report.
      mimeTypes.some((type) => isAccepted(accept, { name: `a.${extension}`, type })),
    ),
  );
}

/** What these extensions are to people: `Pictures, PDF and Word`. */
export function describeKinds(
  extensions: readonly string[],
  { kinds }: UploadTexts,
  language: Language,
): string {
  const known = new Set(extensions.map((extension) => KINDS[extension] ?? extension.toUpperCase()));
  // In the order of `kinds`, whatever that of the server is.
  const words = Object.entries(kinds).flatMap(([kind, word]) => (known.delete(kind) ? word : []));
  words.push(...known);
  const list = new Intl.ListFormat(language).format(words.length ? words : [kinds.any]);
  return list.charAt(0).toLocaleUpperCase(language) + list.slice(1);
}

function wordsOf(accept: string): string[] {
  return accept
    .toLowerCase()
    .split(',')
    .map((word) => word.trim())
    .filter(Boolean);
}
