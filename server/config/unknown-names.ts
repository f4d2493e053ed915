// Beginnings that nothing but this program uses: whatever follows was meant for it.
const OUR_PREFIXES = ['LEADWAY_', 'FORWARD_', 'AUTH_JWT_', 'RATE_LIMIT_', 'TICKET_', 'UPSTREAM_'];

// Kubernetes sets these for every service in the namespace, among them perhaps one named leadway-….
const SERVICE_LINK = /_SERVICE_(HOST|PORT)(_[A-Z0-9_]+)?$|_PORT(_\d+_(TCP|UDP|SCTP)(_[A-Z]+)?)?$/;

// Other programs read these, and people set them together with those that we read.
const OTHER_PROXY = /^(?:all|ftp|rsync|socks)_proxy$/i;

/** A sentence for each variable that we don't know but that looks as if it was meant for us. */
export function warnOfUnknownNames(given: readonly string[], known: readonly string[]): string[] {
  const ours = new Set(known);
  return given
    .filter((name) => !ours.has(name) && !SERVICE_LINK.test(name) && !OTHER_PROXY.test(name))
    .flatMap((name) => {
      const meant = known.find((candidate) => isSlipOf(name, candidate));
      if (meant !== undefined) return [`${name} is not a setting and has no effect; did you mean ${meant}?`];
      const looksOurs = OUR_PREFIXES.some((prefix) => name.startsWith(prefix));
      return looksOurs ? [`${name} is not a setting and has no effect`] : [];
    });
}

// Short names are near to many words (HOST, POST), so they get one slip, and the shortest none.
function isSlipOf(name: string, known: string): boolean {
  const slips = known.length < 6 ? 0 : known.length < 10 ? 1 : 2;
  return Math.abs(name.length - known.length) <= slips && isWithin(slips, name, known);
}

// Levenshtein's distance, row by row; no row gets smaller than the one before it.
function isWithin(slips: number, a: string, b: string): boolean {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 0; i < a.length; i += 1) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j += 1) {
      const replaced = (row[j] ?? 0) + (a[i] === b[j] ? 0 : 1);
      next.push(Math.min(replaced, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    if (Math.min(...next) > slips) return false;
    row = next;
  }
  return (row[b.length] ?? 0) <= slips;
}
