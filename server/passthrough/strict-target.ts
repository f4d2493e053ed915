/** The path and query of a request, in the one reading that they have. */
export interface StrictTarget {
  /** Segments of the path; none of them is empty, dotted or encoded. */
  readonly segments: readonly string[];
  readonly query: URLSearchParams;
}

/** RFC 3986 `pchar` without percent codes and without `;`, which some servers cut a path at. */
const SEGMENT = /^[A-Za-z0-9\-._~!$&'()*+,=:@]+$/;
const MAX_QUERY_PAIRS = 50;

/**
 * Reads a request target in origin form. Null for every target that another server may read differently: with
 * encoded or doubled slashes, dot segments, backslashes, `;`, a fragment or a host in it.
 */
export function parseStrictTarget(target: string): StrictTarget | null {
  const cut = target.indexOf('?');
  const path = cut === -1 ? target : target.slice(0, cut);
  const search = cut === -1 ? '' : target.slice(cut + 1);
  if (!path.startsWith('/') || /[#\\\s]/.test(target)) return null;
  const segments = path.slice(1).split('/');
  const isPlain = segments.every((segment) => SEGMENT.test(segment) && !/^\.+$/.test(segment));
  const query = new URLSearchParams(search);
  if (!isPlain || query.size > MAX_QUERY_PAIRS || /;|%(?![0-9A-Fa-f]{2})/.test(search)) return null;
  return { segments, query };
}
