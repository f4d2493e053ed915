import { matchesOrigin, type OriginPattern } from '../config/origin-pattern.ts';

/** Printable ASCII with two slashes, a plain host and a path: what every reader of URLs reads alike. */
const PLAIN_URL = /^https?:\/\/[A-Za-z0-9.:[\]-]+\/[!-[\]-~]*$/;

/**
 * Whether `text` is a URL of one of the storage origins for every client that may get it. Ours forgives a
 * backslash, a tab or a missing slash, another one may read another host there: the browser would send the
 * file to whoever is behind it.
 */
export function isStorageUrl(text: string, origins: readonly OriginPattern[]): boolean {
  if (!PLAIN_URL.test(text) || !URL.canParse(text)) return false;
  const url = new URL(text);
  return origins.some((origin) => matchesOrigin(origin, url));
}
