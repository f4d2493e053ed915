/** Smaller ones are not worth the call, and may share their memory with others. */
const MIN_BYTES = 16 * 1024;

/**
 * Gives the memory of `chunk` back at once, which empties it for everybody who still has it. For chunks of a
 * body that have been passed on and that nobody keeps; never while the event that brought the chunk is still
 * being handled, since its parser goes on with the same memory.
 *
 * Every chunk that Node reads lies outside of V8's heap, where V8 looks for garbage only after 64 MB of it:
 * without this, that much is what a server of large uploads holds, and every collection walks the whole heap.
 */
export function freeChunk(chunk: Buffer): void {
  const { buffer } = chunk;
  // A part of something larger is not ours to free.
  const isWhole = chunk.byteLength === buffer.byteLength;
  if (isWhole && chunk.byteLength >= MIN_BYTES && buffer instanceof ArrayBuffer) buffer.transfer(0);
}

/** Does the same for a part of a chunk, when the whole chunk is of no use to anybody any more. */
export function freeMemoryOf(chunk: Buffer): void {
  const { buffer } = chunk;
  // Node cuts small buffers out of blocks of exactly that size, which others share.
  const mayBeShared = buffer.byteLength === Buffer.poolSize && chunk.byteLength < buffer.byteLength;
  if (!mayBeShared && buffer.byteLength >= MIN_BYTES && buffer instanceof ArrayBuffer) buffer.transfer(0);
}
