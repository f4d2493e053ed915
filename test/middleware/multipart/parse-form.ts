import { type FormLimits, FormParser } from '../../../middleware/multipart/parser.ts';
import { AppError } from '../../../server/errors/app-error.ts';
import { createRandom } from '../../helpers/random.ts';

/** Limits that no ordinary form meets. */
export const LIMITS: FormLimits = {
  maxFields: 20,
  maxParts: 30,
  maxFieldNameBytes: 64,
  maxFieldBytes: 8 * 1024,
  maxPartHeaderBytes: 8 * 1024,
  maxOverheadBytes: 1024 * 1024,
};

/** What a parser told, with pieces of content joined, so that it does not depend on how the body was cut. */
export interface Parsed {
  readonly events: string[];
  /** The code and reason of the error that ended it, or null. */
  readonly error: string | null;
}

/**
 * Feeds a parser with `chunks`.
 *
 * @param holdsBack Makes the receiver of files ask to wait after every piece.
 */
export function parseForm(
  boundary: string,
  chunks: Iterable<Buffer>,
  limits: FormLimits = LIMITS,
  holdsBack = false,
): Parsed {
  const events: string[] = [];
  let content: Buffer[] = [];
  const parser = new FormParser(boundary, limits, {
    onField({ name }, value, isTruncated) {
      events.push(`field ${name}=${isTruncated ? 'too long' : value.toString('latin1')}`);
    },
    onFile(head, offset) {
      events.push(`file ${head.name} ${head.filename} ${head.contentType} @${offset}`);
    },
    onFileData(chunk) {
      content.push(Buffer.from(chunk));
      return !holdsBack;
    },
    onFileEnd() {
      events.push(`content ${Buffer.concat(content).toString('latin1')}`);
      content = [];
      return !holdsBack;
    },
  });
  const goOn = (): void => {
    while (parser.isWaiting) parser.resume();
  };
  try {
    for (const chunk of chunks) {
      parser.write(chunk);
      goOn();
    }
    parser.end();
    return { events, error: null };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { events, error: `${error.code} ${error.options.details?.['reason'] ?? ''}`.trim() };
  }
}

/** `body` in pieces of `bytes`. */
export function* inPieces(body: Buffer, bytes: number): Generator<Buffer> {
  for (let at = 0; at < body.length; at += bytes) yield body.subarray(at, at + bytes);
}

/** `body` in pieces of 1 to `most` bytes, the same ones for the same seed. */
export function* inRandomPieces(body: Buffer, most: number, seed: number): Generator<Buffer> {
  const random = createRandom(seed);
  for (let at = 0; at < body.length; ) {
    const bytes = 1 + Math.floor(random() * most);
    yield body.subarray(at, at + bytes);
    at += bytes;
  }
}
