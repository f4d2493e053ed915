import { type CheckOptions, channelOf, extensionOf, maxBytesFor } from '../file-check.ts';
import type { ClientConfig } from '../types.ts';
import type { Speech } from './describe-item.ts';
import { ICON_PATHS, type IconName } from './dom.ts';
import { formatBytes } from './formats.ts';
import type { Language } from './texts.ts';

/** The types that the server takes. */
export type FileTypes = ClientConfig['types'];

/** A kind by the first of these words in its MIME types. Those without a text have the name of their extension. */
const KINDS = /image|video|audio|pdf|word|excel|powerpoint|opendocument|plain|csv|zip|rar|vcard|calendar/;

/** The icon for a file: by its extension if the server knows it, else by what the browser says. */
export function iconOf({ name, type }: Pick<File, 'name' | 'type'>, types: FileTypes = []): IconName {
  const extension = extensionOf(name);
  const kind = kindOf(
    types.find(({ extensions }) => extensions.includes(extension))?.mimeTypes ?? [type, extension],
  );
  const icon = kind === 'rar' ? 'zip' : kind;
  return icon in ICON_PATHS ? (icon as IconName) : 'document';
}

function kindOf(mimeTypes: readonly string[]): string {
  return KINDS.exec(mimeTypes.join())?.[0] ?? '';
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

/** The types that both the server and `accept` take; all of the server's where `accept` is empty. */
export function typesFor({ types }: Pick<ClientConfig, 'types'>, accept: string): FileTypes {
  return types.flatMap(({ extensions, mimeTypes }) => {
    const accepted = extensions.filter((extension) =>
      // Any of the types of a kind will do: browsers differ in which one they report.
      mimeTypes.some((type) => isAccepted(accept, { name: `a.${extension}`, type })),
    );
    return accepted.length ? { extensions: accepted, mimeTypes } : [];
  });
}

/** What these types are to people: `Pictures, PDF and Word`. */
export function describeKinds(types: FileTypes, { texts, language }: Speech): string {
  const kinds: Readonly<Record<string, string>> = texts.kinds;
  const known = types.flatMap(({ extensions, mimeTypes }) => {
    const kind = kindOf(mimeTypes);
    return kinds[kind] ? kind : extensions.map((extension) => extension.toUpperCase());
  });
  // In the order of `kinds`, whatever that of the server is.
  const words = [...new Set([...Object.keys(kinds), ...known])]
    .filter((kind) => known.includes(kind))
    .map((kind) => kinds[kind] ?? kind);
  const list = listOf(words.length ? words : [texts.kinds.any], language);
  return list.charAt(0).toLocaleUpperCase(language) + list.slice(1);
}

/** What is accepted, up to which size, and what the channel delivers of that. */
export function describeLimits(
  config: ClientConfig,
  types: FileTypes,
  options: CheckOptions,
  speech: Speech,
): string {
  const { texts, language } = speech;
  const mostBytes = maxBytesFor(options, config);
  const { kinds: rules, maxBytesInAll } = config.delivery?.channels[channelOf(options, config)] ?? {};
  const kinds: Readonly<Record<string, string>> = texts.kinds;
  const taken = ['any', ...types.map(({ mimeTypes }) => kindOf(mimeTypes))];
  const delivered = Object.entries({ ...rules, any: { maxBytes: maxBytesInAll } }).flatMap(
    ([kind, { maxBytes = mostBytes }]) =>
      maxBytes < mostBytes && taken.includes(kind) ? `${kinds[kind]} ${formatBytes(maxBytes, language)}` : [],
  );
  const limits = texts.limits(describeKinds(types, speech), formatBytes(mostBytes, language));
  return delivered.length ? `${limits} ${texts.delivered(listOf(delivered, language))}` : limits;
}

function listOf(words: readonly string[], language: Language): string {
  return new Intl.ListFormat(language).format(words);
}

function wordsOf(accept: string): string[] {
  return accept.toLowerCase().match(/[^\s,]+/g) ?? [];
}
