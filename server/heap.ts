import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** So many body bytes pass between two collections; their chunks are all that waits to be freed. */
const BYTES_BETWEEN_COLLECTIONS = 8 * 1024 * 1024;

type CollectGarbage = (options: { readonly type: 'minor' }) => void;

let collectGarbage: CollectGarbage | null = null;
let bytesSinceCollection = 0;

/**
 * Fits V8's garbage collection to a program that carries large buffers and keeps none. For the whole process.
 *
 * Every chunk of a body lies outside of V8's heap, and V8 answers outside memory with full collections: one
 * for every 30 MB or so, each of which walks all that lives in order to free what was dead at once. That took
 * half of the time of a forwarded byte. A collection of the young generation frees the same chunks within a
 * millisecond, so it is asked for before V8 thinks of a full one.
 */
export function fitGarbageCollection(): void {
  setFlagsFromString('--expose-gc');
  // A context of its own, so that the function is no global of the program.
  collectGarbage = runInNewContext('gc') as CollectGarbage;
}

/** Counts bytes of a body that have come; has the garbage of the last ones collected when it is time. */
export function countBodyBytes(bytes: number): void {
  bytesSinceCollection += bytes;
  if (bytesSinceCollection < BYTES_BETWEEN_COLLECTIONS || collectGarbage === null) return;
  bytesSinceCollection = 0;
  collectGarbage({ type: 'minor' });
}
