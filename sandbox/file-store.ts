/** A file that was uploaded. */
export interface StoredFile {
  contentType: string;
  size: number;
  md5: string;
  /** Null when contents are discarded, or were dropped to make room. */
  contents: readonly Buffer[] | null;
}

/** Uploaded files by path, with a bound on the contents kept in all. */
export interface FileStore {
  put(path: string, file: StoredFile): void;
  get(path: string): StoredFile | undefined;
  clear(): void;
}

const MAX_FILES = 10_000;

/** Makes an empty store; past `maxBytes` the oldest files lose their contents. */
export function createFileStore(maxBytes: number): FileStore {
  const files = new Map<string, StoredFile>();
  let keptBytes = 0;
  const forget = (path: string) => {
    const file = files.get(path);
    if (file?.contents) keptBytes -= file.size;
    files.delete(path);
  };
  return {
    put(path, file) {
      forget(path);
      files.set(path, file);
      if (file.contents) keptBytes += file.size;
      for (const [oldPath, old] of files) {
        if (keptBytes <= maxBytes && files.size <= MAX_FILES) break;
        if (files.size > MAX_FILES) forget(oldPath);
        else if (old.contents) {
          keptBytes -= old.size;
          old.contents = null;
        }
      }
    },
    get: (path) => files.get(path),
    clear() {
      files.clear();
      keptBytes = 0;
    },
  };
}
