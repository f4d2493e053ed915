import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** So many bytes become garbage between two collections. */
const BYTES_BETWEEN_COLLECTIONS = 8 * 1024 * 1024;

type CollectGarbage = (options: { readonly type: 'minor' }) => void;

let collectGarbage: CollectGarbage | null = null;
let bytesSinceCollection = 0;

/**
 * Fits V8's garbage collection to a program that passes large buffers on and keeps none. For the whole process.
 *
 * Buffers lie outside of V8's heap, and V8 answers outside memory with full collections: one for every 30 MB
 * or so, each of which walks all that lives. A collection of the young generation frees the same buffers for
 * much less, so it is asked for before V8 thinks of a full one. Chunks that are passed on one by one need
 * neither (http/free-chunk.ts).
 */
export function fitGarbageCollection(): void {
  setFlagsFromString('--expose-gc');
  // A context of its own, so that the function is no global of the program.
  collectGarbage = runInNewContext('gc') as CollectGarbage;
}

/** Counts bytes of buffers that nobody will keep; has them collected when it is time. */
export function countGarbage(bytes: number): void {
  bytesSinceCollection += bytes;
  if (bytesSinceCollection < BYTES_BETWEEN_COLLECTIONS || collectGarbage === null) return;
  bytesSinceCollection = 0;
  collectGarbage({ type: 'minor' });
}
