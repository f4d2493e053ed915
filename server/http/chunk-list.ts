/** Chunks below this are copied together; a buffer of its own costs some hundred bytes, however small it is. */
const SMALL_BYTES = 4 * 1024;
const BLOCK_BYTES = 16 * 1024;

/**
 * Keeps chunks of a body in their order, at a cost that their bytes bound and not their number: a caller may
 * send every byte as a chunk of its own (RFC 9112, section 7.1).
 */
export class ChunkList {
  #chunks: Buffer[] = [];
  /** The last chunk, while it is a block of ours with room in it. */
  #block: Buffer | null = null;
  #blockBytes = 0;
  #bytes = 0;

  /** How many bytes are kept. */
  get bytes(): number {
    return this.#bytes;
  }

  push(chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (chunk.length >= SMALL_BYTES) {
      this.#closeBlock();
      this.#chunks.push(chunk);
      return;
    }
    if (this.#block === null || this.#blockBytes + chunk.length > BLOCK_BYTES) {
      this.#closeBlock();
      this.#block = Buffer.allocUnsafeSlow(BLOCK_BYTES);
    }
    chunk.copy(this.#block, this.#blockBytes);
    this.#blockBytes += chunk.length;
  }

  /** Everything that is kept; the list is empty then, and what it gave is the taker's. */
  take(): Buffer[] {
    this.#closeBlock();
    const chunks = this.#chunks;
    this.#chunks = [];
    this.#bytes = 0;
    return chunks;
  }

  #closeBlock(): void {
    if (this.#block !== null) this.#chunks.push(this.#block.subarray(0, this.#blockBytes));
    this.#block = null;
    this.#blockBytes = 0;
  }
}
