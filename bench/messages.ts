/** What a caller of the load generator sends: a form with one file, or the JSON that asks for a signed URL. */
export interface Shot {
  readonly port: number;
  readonly path: string;
  readonly kind: 'upload' | 'initiate';
  /** Size of the file, or of the file that is asked for. */
  readonly fileBytes: number;
  /** How many connections; each has one request under way at a time. */
  readonly concurrency: number;
}

/** Makes the bytes of a shot, so that making them is no part of a measurement. */
export interface PrepareCommand {
  readonly command: 'prepare';
  readonly fileBytes: number;
}

/** Sends one request after the other on each connection, as fast as the target takes it or at a rate. */
export interface RepeatCommand extends Shot {
  readonly command: 'repeat';
  readonly until: { readonly seconds: number } | { readonly requests: number };
  /** Begins so many a second, on all connections together; as fast as it goes where it is left out. */
  readonly perSecond?: number;
}

/** Sends one upload on each connection, at so many bytes per second each. */
export interface PaceCommand extends Shot {
  readonly command: 'pace';
  readonly bytesPerSecond: number;
}

/** Sends one file whose name belies its content, as fast as the target takes it, until nobody reads on. */
export interface RefusalCommand {
  readonly command: 'refusal';
  readonly port: number;
  readonly path: string;
  readonly fileBytes: number;
}

/** Keeps so many connections open that have done one request each; 0 closes them all. */
export interface IdleCommand {
  readonly command: 'idle';
  readonly port: number;
  readonly path: string;
  readonly connections: number;
}

/** What the load generator is told to do. */
export type LoadCommand = PrepareCommand | RepeatCommand | PaceCommand | RefusalCommand | IdleCommand;

/** What it reports of {@link RepeatCommand}. */
export interface LoadResult {
  readonly requests: number;
  readonly seconds: number;
  /** From the first byte sent to the last byte of the answer, in milliseconds. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** What was not answered with 200; the load stops at the first. */
  readonly failure: string | null;
}

/** What it reports of {@link PaceCommand}, by the clock of the system. */
export interface PaceResult {
  /** When the caller whose last byte went out last sent it. */
  readonly lastByteAtMs: number;
  readonly answeredAtMs: number;
  readonly failure: string | null;
}

/** What it reports of {@link RefusalCommand}. */
export interface RefusalResult {
  readonly status: number;
  /** From the first bytes, which have the head of the file, to the answer. */
  readonly answerMs: number;
  /** Why there is no answer: the kernel may tell of the closed connection before the answer has been read. */
  readonly failure: string | null;
}

/** What the upstream is asked: to count, to keep the next body, to read no faster than so per connection. */
export type UpstreamCommand =
  | { readonly command: 'count' }
  | { readonly command: 'capture' }
  | { readonly command: 'pace'; readonly bytesPerSecond: number | null };

/** What the upstream says: where it listens, how much came since it was last asked, or the body it was to keep. */
export type UpstreamReport =
  | { readonly kind: 'listening'; readonly port: number }
  | {
      readonly kind: 'counted';
      readonly requests: number;
      readonly bodyBytes: number;
      /** When the last request was complete, by the clock of the system. */
      readonly lastByteAtMs: number;
    }
  | { readonly kind: 'done' }
  | { readonly kind: 'captured'; readonly request: CapturedRequest };

/** A complete request, as the upstream got it. */
export interface CapturedRequest {
  readonly authorization: string | null;
  /** The only file of a form; null when the body is none. */
  readonly file: { readonly bytes: number; readonly sha256: string } | null;
}
