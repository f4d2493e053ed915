import type { IncomingMessage } from 'node:http';

const BLOCK_BYTES = 16 * 1024;

/**
 * A list of chunks of a body. Small ones are copied into blocks: each buffer costs some hundred bytes, and a client may
 * send every byte as its own chunk (RFC 9112, section 7.1).
 */
export class BufferList {
  readonly #smallBytes: number;
  #chunks: Buffer[] = [];
  /** The latest small chunks are in the block from `#begin` to `#end`. The next ones go behind them. */
  #block: Buffer | null = null;
  #begin = 0;
  #end = 0;
  #bytes = 0;

  /** @param smallBytes Smaller chunks are copied, the others are kept. */
  constructor(smallBytes = 4 * 1024) {
    this.#smallBytes = smallBytes;
  }

  /** The bytes in the list. */
  get bytes(): number {
    return this.#bytes;
  }

  push(chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (chunk.length >= this.#smallBytes) {
      this.#closeBlock();
      this.#chunks.push(chunk);
      return;
    }
    if (this.#block === null || this.#end + chunk.length > BLOCK_BYTES) {
      this.#closeBlock();
      this.#block = Buffer.allocUnsafeSlow(BLOCK_BYTES);
      this.#begin = 0;
      this.#end = 0;
    }
    chunk.copy(this.#block, this.#end);
    this.#end += chunk.length;
  }

  /** Empties the list and returns what was in it. */
  drain(): Buffer[] {
    this.#closeBlock();
    const chunks = this.#chunks;
    this.#chunks = [];
    this.#bytes = 0;
    return chunks;
  }

  #closeBlock(): void {
    if (this.#block !== null && this.#end > this.#begin) {
      this.#chunks.push(this.#block.subarray(this.#begin, this.#end));
    }
    this.#begin = this.#end;
  }
}

/** Smaller chunks of a body are joined. */
const SMALL_BYTES = 1024;

/**
 * The minimum average chunk size, over this many chunks. Each chunk costs Node microseconds, however small: a body that
 * arrives byte by byte at full speed keeps a processor busy.
 */
const TINY = { chunks: 16 * 1024, bytesPerChunk: 8 } as const;

/**
 * Joins the small chunks of a body that arrive with one read of the socket, or while the request is paused. Node makes a
 * buffer of each and lets as many wait as the high-water mark has bytes.
 *
 * Calls `onTiny` once if the chunks of a chunked body stay smaller than any program would make them. Slow clients are not
 * affected: their chunks are larger, or fewer.
 *
 * Call it before the first byte of the body.
 */
export function joinSmallChunks(req: IncomingMessage, onTiny: () => void): void {
  // Without chunked encoding, a chunk is a read of the socket.
  if (req.headers['transfer-encoding'] === undefined) return;
  const push = req.push.bind(req);
  const isTooTiny = createTinyCount();
  const waiting = new BufferList(SMALL_BYTES);
  let isFlushDue = false;
  let isReported = false;

  const flush = (): void => {
    for (const chunk of waiting.drain()) if (!req.destroyed) push(chunk);
  };
  const flushLater = (): void => {
    isFlushDue = false;
    if (!req.isPaused()) flush();
  };

  const pushJoined = (chunk: Buffer | null): boolean => {
    if (chunk === null || chunk.length >= SMALL_BYTES) {
      flush();
      return push(chunk);
    }
    waiting.push(chunk);
    if (waiting.bytes >= BLOCK_BYTES) flush();
    if (!isReported && isTooTiny(chunk.length)) {
      isReported = true;
      onTiny();
    }
    if (!isFlushDue) {
      isFlushDue = true;
      setImmediate(flushLater); // after all chunks of this read of the socket
    }
    return req.readableLength + waiting.bytes < req.readableHighWaterMark;
  };
  req.on('resume', flush);
  // Defined first, then assigned: otherwise V8 allocates it in the old generation (docs/performance.md).
  req.push = pushJoined;
}

/** Returns true when {@link TINY}.chunks in a row were too small on average. */
function createTinyCount(): (bytes: number) => boolean {
  let chunks = 0;
  let sum = 0;
  return (bytes) => {
    chunks += 1;
    sum += bytes;
    if (chunks < TINY.chunks) return false;
    const isTiny = sum < TINY.chunks * TINY.bytesPerChunk;
    chunks = 0;
    sum = 0;
    return isTiny;
  };
}

/** All bytes of `chunks`, which is copied only if there are several. */
export function joinBuffers(chunks: readonly Buffer[]): Buffer {
  const [first] = chunks;
  return chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks);
}

/** Smaller buffers are not worth the call, and may share their memory with others. */
const MIN_RELEASED_BYTES = 16 * 1024;

/**
 * Releases the memory of `chunk` at once, which empties it for everything that still refers to it. For chunks of a body
 * that have been passed on; never inside the event that delivered the chunk: Node's parser still reads it.
 *
 * Chunks are outside V8's heap, and V8 collects them only every 64 MB: see docs/performance.md.
 */
export function releaseBuffer(chunk: Buffer): void {
  const { buffer } = chunk;
  // A part of something larger is not ours to release.
  const isWhole = chunk.byteLength === buffer.byteLength;
  if (isWhole && chunk.byteLength >= MIN_RELEASED_BYTES && buffer instanceof ArrayBuffer) buffer.transfer(0);
}

/** As {@link releaseBuffer}, for a part of a chunk that is no longer needed. */
export function releaseMemoryOf(chunk: Buffer): void {
  const { buffer } = chunk;
  // Node cuts small buffers out of blocks of exactly that size, which others share.
  const mayBeShared = buffer.byteLength === Buffer.poolSize && chunk.byteLength < buffer.byteLength;
  if (mayBeShared || buffer.byteLength < MIN_RELEASED_BYTES || !(buffer instanceof ArrayBuffer)) return;
  buffer.transfer(0);
}
