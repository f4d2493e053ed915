import { ConnectionGone, type Exchange, pause } from './exchange.ts';
import { playDuringBody } from './fault-play.ts';

const SLOW_PIECE_BYTES = 64 * 1024;
/** A throttled body is read in pieces of this part of a second. */
const PIECES_PER_SECOND = 20;
const MAX_JSON_BYTES = 1024 * 1024;

function bytesPerSecond({ fault, settings }: Exchange): number {
  const isSlow = fault === 'slow-body' || fault === 'storage-slow-body';
  const slowRate = SLOW_PIECE_BYTES / (Math.max(1, settings.slowMs) / 10_000);
  return Math.min(settings.readBytesPerSecond, isSlow ? slowRate : Number.POSITIVE_INFINITY);
}

/**
 * Reads the body with backpressure, at the speed and with the faults of the exchange. While a piece is worked on,
 * nothing more is taken from the socket than Node's own small buffer.
 */
export async function* readBody(exchange: Exchange): AsyncGenerator<Buffer, void> {
  const { req, record } = exchange;
  const chunks = req.iterator({ destroyOnReturn: false });
  while (true) {
    const next: IteratorResult<Buffer> = await chunks.next().catch(() => {
      throw new ConnectionGone();
    });
    if (next.done === true) break;
    let rest = next.value;
    while (rest.length > 0) {
      const rate = bytesPerSecond(exchange);
      const piece = rest.subarray(0, Math.max(1, Math.ceil(rate / PIECES_PER_SECOND)));
      rest = rest.subarray(piece.length);
      if (rate !== Number.POSITIVE_INFINITY) await pause(exchange, (piece.length / rate) * 1000);
      record.bodyBytes += piece.length;
      yield piece;
      exchange.changed();
      await playDuringBody(exchange);
    }
  }
  // The iterator also ends quietly when the connection was destroyed from this side.
  if (!req.complete) throw new ConnectionGone();
  exchange.bodyEnded = true;
}

/** Reads a body to its end for the record alone. */
export async function discardBody(exchange: Exchange): Promise<void> {
  for await (const _piece of readBody(exchange)) {
    // Counting, in readBody, is all.
  }
  exchange.record.complete = true;
  exchange.changed();
}

/** The JSON body of a request; undefined where it is not JSON or is over 1 MiB. */
export async function readJson(exchange: Exchange): Promise<unknown> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of readBody(exchange)) {
    size += piece.length;
    if (size <= MAX_JSON_BYTES) pieces.push(piece);
  }
  let json: unknown;
  if (size <= MAX_JSON_BYTES && size > 0) {
    try {
      json = JSON.parse(Buffer.concat(pieces).toString());
      exchange.record.json = json;
    } catch {
      json = undefined;
    }
  }
  exchange.record.complete = true;
  exchange.changed();
  return json;
}
