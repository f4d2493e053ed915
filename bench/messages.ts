/** What the load generator is told to do. */
export interface LoadCommand {
  readonly port: number;
  readonly path: string;
  readonly fileBytes: number;
  /** How many uploads in all. */
  readonly uploads: number;
  /** How many connections; each has one upload under way at a time. */
  readonly concurrency: number;
}

/** What it reports when all are answered. */
export interface LoadResult {
  readonly seconds: number;
  /** From the first byte sent to the last byte of the answer, in milliseconds. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** What was not answered with 200; the load stops at the first. */
  readonly failure: string | null;
}

/** What the upstream is asked. */
export type UpstreamCommand = 'count' | 'capture';

/** What the upstream says: where it listens, how much came since it was last asked, or the body it was to keep. */
export type UpstreamReport =
  | { readonly kind: 'listening'; readonly port: number }
  | { readonly kind: 'counted'; readonly requests: number; readonly bodyBytes: number }
  | { readonly kind: 'capturing' }
  | { readonly kind: 'captured'; readonly request: CapturedRequest };

/** A complete request, as the upstream got it. */
export interface CapturedRequest {
  readonly authorization: string | null;
  readonly fileBytes: number;
  readonly fileSha256: string;
}
