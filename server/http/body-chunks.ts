import type { IncomingMessage } from 'node:http';

/** Chunks below this are copied together; larger ones are passed on as they came. */
const SMALL_BYTES = 1024;
const BLOCK_BYTES = 16 * 1024;

/**
 * How small the chunks of a body may be on average, over so many of them. Each costs Node microseconds, however
 * little it holds: a body that comes byte by byte as fast as the line takes it keeps a processor busy.
 */
const TINY = { chunks: 16 * 1024, bytesPerChunk: 8 } as const;

/**
 * Joins the small chunks of a body that came with one read of the socket, or while the request is paused. Node
 * makes a buffer of each chunk (RFC 9112, section 7.1, lets each be one byte) and lets as many wait as the
 * high-water mark has bytes: some hundred bytes of memory for each of them.
 *
 * Calls `onTiny` once when the chunks of a chunked body stay smaller than any program would make them. Senders
 * that are slow, or write little at a time, are not meant: theirs are still larger, or fewer.
 *
 * To be called before the first byte of the body.
 */
export function joinSmallChunks(req: IncomingMessage, onTiny: () => void): void {
  // Without chunks, the socket's own reads are what there is.
  if (req.headers['transfer-encoding'] === undefined) return;
  const push = req.push.bind(req);
  const isTooTiny = createTinyCount();
  /** What waits: nothing, one chunk as it came, or `block` from `begin` to `end`. */
  let single: Buffer | null = null;
  let block: Buffer | null = null;
  let begin = 0;
  let end = 0;
  let isFlushDue = false;
  let isTold = false;

  const waitingBytes = (): number => (single?.length ?? 0) + (end - begin);

  const keep = (chunk: Buffer): void => {
    if (waitingBytes() === 0) {
      single = chunk;
      return;
    }
    const first = single;
    single = null;
    if (first !== null) append(first);
    append(chunk);
  };
  const append = (chunk: Buffer): void => {
    if (block !== null && end + chunk.length > BLOCK_BYTES) {
      flush();
      block = null;
    }
    if (block === null) {
      block = Buffer.allocUnsafeSlow(BLOCK_BYTES);
      begin = 0;
      end = 0;
    }
    chunk.copy(block, end);
    end += chunk.length;
  };
  const flush = (): void => {
    const waiting = single ?? (end > begin ? block?.subarray(begin, end) : undefined);
    single = null;
    begin = end; // the room behind it serves the next ones
    if (waiting !== undefined && !req.destroyed) push(waiting);
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
    keep(chunk);
    if (!isTold && isTooTiny(chunk.length)) {
      isTold = true;
      onTiny();
    }
    if (!isFlushDue) {
      isFlushDue = true;
      setImmediate(flushLater); // after all that this read of the socket has brought; a tick ends with each chunk
    }
    return req.readableLength + waitingBytes() < req.readableHighWaterMark;
  };
  req.on('resume', flush);
  // Not assigned where it is written: V8 would make it in the old generation, and keep the request alive by it.
  req.push = pushJoined;
}

/** Counts chunks by their bytes; says true when so many in a row were too tiny. */
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
