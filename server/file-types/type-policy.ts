import { ALL_EXTENSIONS, fileTypeOfExtension } from './file-types.ts';

export interface TypePolicy {
  /** Extensions in lower case without a dot: `jpg` does not bring `jpeg` along. */
  readonly allowed: ReadonlySet<string>;
}

export function createTypePolicy(extensions: readonly string[]): TypePolicy {
  const allowed = new Set(extensions.map((extension) => extension.trim().toLowerCase()));
  for (const extension of allowed) {
    if (!fileTypeOfExtension(extension)) {
      throw new TypeError(
        `unknown file extension "${extension}": expected some of ${ALL_EXTENSIONS.join(', ')}`,
      );
    }
  }
  return { allowed };
}
