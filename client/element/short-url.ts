/** Enough letters to tell one object from another. */
const KEPT_LETTERS = 8;

/** What is worth reading of a URL: its host, and the end of its path with long ids cut (`d3adb299….png`). */
export function toShortUrl(url: string): { host: string; end: string } {
  const { host, pathname } = new URL(url);
  const last = pathname.split('/').at(-1) ?? '';
  const [, stem = last, extension = ''] = /^(.+)(\.[^.]*)$/.exec(last) ?? [];
  const kept = stem.length > 2 * KEPT_LETTERS ? `${stem.slice(0, KEPT_LETTERS)}…` : stem;
  return { host, end: `…/${kept}${extension}` };
}
