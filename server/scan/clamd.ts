import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { hostAndPort } from '../http/listen.ts';

/** Where clamd listens. */
export type ClamavAddress =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'socket'; readonly path: string };

/** What clamd says of the bytes it got. */
export type ScanResult =
  | { readonly kind: 'clean' }
  | { readonly kind: 'infected'; readonly signature: string }
  /** The file is over one of clamd's own limits (`StreamMaxLength`, or `MaxFileSize` with `AlertExceedsMax`). */
  | { readonly kind: 'over-limit' };

/** clamd can't be reached, does not respond in time, or responds with something else. */
export class ClamdError extends Error {
  override readonly name = 'ClamdError';
}

/** A response is one line; clamd puts the name of the signature in it. */
const MAX_RESPONSE_BYTES = 4_096;
const PING_TIMEOUT_MS = 2_000;
/** `StreamMaxLength` was 25 MB by default in old versions, and is 100 MB now. */
const SMALLEST_STREAM_LIMIT = 20 * 1024 * 1024;

/**
 * One file that streams to clamd by the command `INSTREAM`: chunks, each behind its length in four bytes, then a length
 * of zero (clamd(8)). clamd may respond and close before the end, when the stream is over its limit.
 */
export class ClamdStream {
  readonly #socket: Socket;
  readonly #timeoutMs: number;
  readonly #result: Promise<ScanResult>;
  /** Whether the result is known, so that nothing more needs to be sent. */
  #isDone = false;
  #hasEnded = false;
  #sentBytes = 0;
  #isDestroyed = false;

  /** @param timeoutMs How long clamd may neither take bytes nor respond. */
  constructor(address: ClamavAddress, timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
    this.#socket = open(address, timeoutMs);
    this.#result = readLine(this.#socket)
      .then(parseResult)
      .catch((error) => this.#explain(address, error));
    const done = (): void => {
      this.#isDone = true;
      this.#socket.destroy();
    };
    this.#result.then(done, done);
    this.#socket.write('zINSTREAM\0');
  }

  /** Sends the next bytes. Resolves when they have been written, or need not be; never rejects. */
  write(chunk: Buffer): Promise<void> {
    if (this.#isDone || chunk.length === 0) return Promise.resolve();
    this.#sentBytes += chunk.length;
    const length = Buffer.allocUnsafe(4);
    length.writeUInt32BE(chunk.length);
    return new Promise((resolve) => {
      this.#socket.setTimeout(this.#timeoutMs);
      this.#socket.cork();
      this.#socket.write(length);
      this.#socket.write(chunk, () => {
        this.#socket.setTimeout(0); // the next bytes may take their time
        resolve();
      });
      this.#socket.uncork();
    });
  }

  /**
   * Ends the file.
   *
   * @throws ClamdError
   */
  end(): Promise<ScanResult> {
    if (!this.#isDone) {
      this.#hasEnded = true;
      this.#socket.setTimeout(this.#timeoutMs);
      this.#socket.write(Buffer.alloc(4));
    }
    return this.#result;
  }

  /**
   * clamd responds and closes at once when a stream is over its limit. Bytes that are still on their way reset the
   * connection then, and with it the response is lost. If so much was sent and clamd is alive, that was it.
   */
  async #explain(address: ClamavAddress, error: unknown): Promise<ScanResult> {
    const isPlausible = this.#sentBytes >= SMALLEST_STREAM_LIMIT;
    if (!isPlausible || this.#hasEnded || this.#isDestroyed || !isReset(error)) throw error;
    try {
      await ping(address);
    } catch {
      throw error;
    }
    return { kind: 'over-limit' };
  }

  /** Closes the connection; clamd forgets the file. */
  destroy(): void {
    this.#isDestroyed = true;
    this.#socket.destroy();
  }
}

/**
 * Asks clamd whether it is there.
 *
 * @throws ClamdError
 */
export async function ping(address: ClamavAddress): Promise<void> {
  const socket = open(address, PING_TIMEOUT_MS);
  try {
    socket.write('zPING\0');
    const line = await readLine(socket);
    if (line !== 'PONG') throw new ClamdError(`clamd responded to PING with ${JSON.stringify(line)}`);
  } finally {
    socket.destroy();
  }
}

/** `tcp://host:port` or `unix:/path`, as in the settings. */
export function formatClamavAddress(address: ClamavAddress): string {
  if (address.kind === 'socket') return `unix:${address.path}`;
  return `tcp://${hostAndPort(address.host, address.port)}`;
}

function open(address: ClamavAddress, timeoutMs: number): Socket {
  const socket = address.kind === 'tcp' ? connect(address.port, address.host) : connect(address.path);
  socket.setNoDelay(true);
  socket.setTimeout(timeoutMs);
  socket.on('timeout', () => socket.destroy(new ClamdError(`clamd made no progress for ${timeoutMs} ms`)));
  socket.on('error', () => {}); // readLine reports it
  return socket;
}

/** The response, which ends with a NUL or with the connection. */
async function readLine(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  socket.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    size += chunk.length;
    // Whatever follows the NUL is not a response to us.
    if (chunk.includes(0) || size > MAX_RESPONSE_BYTES) socket.destroy();
  });
  try {
    await once(socket, 'close');
  } catch (error) {
    // clamd resets the connection when it has responded while bytes were still coming.
    if (size === 0)
      throw error instanceof ClamdError ? error : new ClamdError(messageOf(error), { cause: error });
  }
  const [line = ''] = Buffer.concat(chunks).toString('utf8').split('\0');
  if (line.trim() === '') throw new ClamdError('clamd closed the connection without a response');
  return line.trim();
}

/** @throws ClamdError */
function parseResult(line: string): ScanResult {
  if (/^(?:stream: )?OK$/.test(line)) return { kind: 'clean' };
  const signature = /^(?:stream: )?(.+) FOUND$/.exec(line)?.[1];
  if (signature !== undefined) {
    const isLimit = signature.startsWith('Heuristics.Limits.Exceeded');
    return isLimit ? { kind: 'over-limit' } : { kind: 'infected', signature };
  }
  if (/size limit exceeded/i.test(line)) return { kind: 'over-limit' };
  throw new ClamdError(`clamd responded with ${JSON.stringify(line)}`);
}

function isReset(error: unknown): boolean {
  const { code = '' } = ((error as Error).cause ?? {}) as NodeJS.ErrnoException;
  return code === 'ECONNRESET' || code === 'EPIPE';
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
