/** What JSON.parse tells a reviver of a value as it was written; only of those that are no object or list. */
interface Written {
  readonly source?: string;
}

/** JSON with the source of its values, which TypeScript's library does not list yet. */
const json = JSON as JSON & { rawJSON(source: string): unknown };

/**
 * A reviver that keeps numbers as they were written. JSON.parse makes 12345678901234567890 a neighbour of
 * that, and a body that is parsed and written anew would tell Leadway another number than the caller sent.
 */
export function keepExactNumbers(_key: string, value: unknown, written?: Written): unknown {
  if (typeof value !== 'number' || written?.source === undefined) return value;
  return String(value) === written.source ? value : json.rawJSON(written.source);
}
