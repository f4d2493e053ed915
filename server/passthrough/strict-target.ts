/** The path and query of a request, in the one reading that they have. */
export interface StrictTarget {
  /** Segments of the path; none of them is empty, dotted or encoded. */
  readonly segments: readonly string[];
  readonly query: URLSearchParams;
}

/** RFC 3986 `pchar` without percent codes and without `;`, which some servers cut a path at. */
const SEGMENT = /^[A-Za-z0-9\-._~!$&'()*+,=:@]+$/;
const DOTS = /^\.+$/;
const MAX_QUERY_PAIRS = 50;

/**
 * Reads a request target in origin form. Null for every target that another server may read differently: with
 * encoded or doubled slashes, dot segments, backslashes, `;`, a fragment, a host or bytes that are not text.
 */
export function parseStrictTarget(target: string): StrictTarget | null {
  const cut = target.indexOf('?');
  const path = cut === -1 ? target : target.slice(0, cut);
  const search = cut === -1 ? '' : target.slice(cut + 1);
  if (!path.startsWith('/') || /[^!-~]|[#\\]/.test(target)) return null;
  const segments = path.slice(1).split('/');
  const isPlain = segments.every((segment) => SEGMENT.test(segment) && !DOTS.test(segment));
  if (!isPlain || search.includes(';') || !isText(search)) return null;
  const query = new URLSearchParams(search);
  return query.size > MAX_QUERY_PAIRS ? null : { segments, query };
}

/** Percent codes that are UTF-8; others would be replaced in silence. */
function isText(search: string): boolean {
  try {
    return !decodeURIComponent(search).includes('\0');
  } catch {
    return false;
  }
}
