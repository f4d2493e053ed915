/**
 * What follows the last dot, in lower case; `''` when there is none, or nothing before or after it.
 * Nothing is trimmed: `a.jpg ` and `a.jpg.` have no extension of the list, which is the safe reading.
 */
export function extensionOf(filename: string): string {
  const base = filename.slice(Math.max(filename.lastIndexOf('/'), filename.lastIndexOf('\\')) + 1);
  const dot = base.lastIndexOf('.');
  return dot > 0 ? base.slice(dot + 1).toLowerCase() : '';
}
