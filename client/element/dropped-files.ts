/** More than this at once is a mistake: a whole disk was dropped. */
const MAX_FILES = 200;

/** What the system leaves in folders, which is not meant to be sent. */
const LITTER = /^(?:\..*|Thumbs\.db|desktop\.ini)$/i;

/** Files out of folders, and whether some were left behind. */
export interface FoundFiles {
  readonly files: readonly File[];
  readonly cutAt?: number;
}

/**
 * All files of a drop, those in dropped folders too. To be called while the event is handled: afterwards the
 * browser drops the items.
 */
export async function readDrop({ items, files }: DataTransfer): Promise<FoundFiles> {
  const entries = [...(items ?? [])].flatMap((item) => item.webkitGetAsEntry?.() ?? []);
  if (!entries.some((entry) => entry.isDirectory)) return { files: [...files] };
  const found: File[] = [];
  for (const entry of entries) await collect(entry, found);
  return toFound(found);
}

/** The files of a folder that was chosen, without litter. */
export function readFolder(files: Iterable<File>): FoundFiles {
  return toFound([...files].filter(({ name }) => !LITTER.test(name)));
}

async function collect(entry: FileSystemEntry, found: File[]): Promise<void> {
  if (found.length > MAX_FILES || LITTER.test(entry.name)) return;
  try {
    if (entry.isDirectory) {
      for (const child of await listOf(entry as FileSystemDirectoryEntry)) await collect(child, found);
    } else {
      found.push(await new Promise<File>((...settle) => (entry as FileSystemFileEntry).file(...settle)));
    }
  } catch {
    // What may not be read is left out; the rest of the folder comes anyway.
  }
}

/** A reader hands out a hundred entries at a time, and none when it is through. */
async function listOf(directory: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = directory.createReader();
  const all: FileSystemEntry[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (some.length === 0) return all;
    all.push(...some);
  }
}

function toFound(files: readonly File[]): FoundFiles {
  return files.length > MAX_FILES ? { files: files.slice(0, MAX_FILES), cutAt: MAX_FILES } : { files };
}
