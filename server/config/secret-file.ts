import { bad, type Parsed } from './parsers.ts';
import { parseSecretFile } from './secret-parsers.ts';

export type ReadFile = (path: string) => string;

/** Reads a file that holds a secret; the problem names the path, never the content. */
export function readSecretFile(path: string, readFile: ReadFile): Parsed<string> {
  try {
    return parseSecretFile(readFile(path));
  } catch (error) {
    return bad(`names a file that cannot be read${reasonOf(error)}`);
  }
}

/** The path as it may be printed: people do put the secret itself where its path belongs. */
export function showPath(path: string): string {
  return /^(\/|\.\.?\/|~\/|[A-Za-z]:\\)[^{"]*$/.test(path)
    ? path
    : '(not shown: it does not begin like a path)';
}

function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? ` (${code})` : '';
}
