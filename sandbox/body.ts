import { injectDuringBody } from './fault-injection.ts';
import { ConnectionGone, pause, type RequestContext } from './request-context.ts';

const SLOW_PIECE_BYTES = 64 * 1024;
/** A throttled body is read in pieces of this part of a second. */
const PIECES_PER_SECOND = 20;
const MAX_JSON_BYTES = 1024 * 1024;

function bytesPerSecond({ fault, settings }: RequestContext): number {
  const isSlow = fault === 'slow-body' || fault === 'storage-slow-body';
  const slowRate = SLOW_PIECE_BYTES / (Math.max(1, settings.slowMs) / 10_000);
  return Math.min(settings.readBytesPerSecond, isSlow ? slowRate : Number.POSITIVE_INFINITY);
}

/**
 * Reads the body with backpressure, at the speed and with the faults of the exchange. While a piece is worked on,
 * nothing more is taken from the socket than Node's own small buffer.
 */
export async function* readBody(context: RequestContext): AsyncGenerator<Buffer, void> {
  const { req, record } = context;
  const chunks = req.iterator({ destroyOnReturn: false });
  while (true) {
    const next: IteratorResult<Buffer> = await chunks.next().catch(() => {
      throw new ConnectionGone();
    });
    if (next.done === true) break;
    let rest = next.value;
    while (rest.length > 0) {
      const rate = bytesPerSecond(context);
      const piece = rest.subarray(0, Math.max(1, Math.ceil(rate / PIECES_PER_SECOND)));
      rest = rest.subarray(piece.length);
      if (rate !== Number.POSITIVE_INFINITY) await pause(context, (piece.length / rate) * 1000);
      record.bodyBytes += piece.length;
      yield piece;
      context.changed();
      await injectDuringBody(context);
    }
  }
  // The iterator also ends quietly when the connection was destroyed from this side.
  if (!req.complete) throw new ConnectionGone();
  context.bodyEnded = true;
}

/** Reads a body to its end for the record alone. */
export async function discardBody(context: RequestContext): Promise<void> {
  for await (const _piece of readBody(context)) {
    // Counting, in readBody, is all.
  }
  context.record.complete = true;
  context.changed();
}

/** The JSON body of a request; undefined if it is not JSON or is over 1 MiB. */
export async function readJson(context: RequestContext): Promise<unknown> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of readBody(context)) {
    size += piece.length;
    if (size <= MAX_JSON_BYTES) pieces.push(piece);
  }
  let json: unknown;
  if (size <= MAX_JSON_BYTES && size > 0) {
    try {
      json = JSON.parse(Buffer.concat(pieces).toString());
      context.record.json = json;
    } catch {
      json = undefined;
    }
  }
  context.record.complete = true;
  context.changed();
  return json;
}
