import type { AppError } from '../errors/app-error.ts';
import {
  fingerprintOf,
  type IdempotentRequest,
  leadingDigest,
  type RecordedRequest,
} from '../idempotency/idempotency.ts';
import type { DirectFile } from './direct.ts';
import { required } from './fields.ts';
import type { IncomingFile } from './incoming-file.ts';
import type { UploadResponse } from './upload.ts';
import type { UploadState } from './upload-state.ts';

/** Makes an upload with an `Idempotency-Key` happen at most once. Without a key it does nothing. */
export class UploadIdempotency {
  readonly #request: IdempotentRequest | null;
  readonly #state: UploadState;
  /** The earlier request with the same key, if there is one. */
  #recorded: RecordedRequest | null = null;
  #ended: Promise<void> | null = null;

  constructor(request: IdempotentRequest | null, state: UploadState) {
    this.#request = request;
    this.#state = state;
  }

  /** Whether there is an earlier request with the same key. What arrives is then only compared with it. */
  get isRepeat(): boolean {
    return this.#recorded !== null;
  }

  /** Remembers how `file` begins, which tells it from others of its name. */
  noteStart(file: IncomingFile, leadingBytes: Buffer): void {
    if (this.#request !== null) file.leadingDigest = leadingDigest(leadingBytes);
  }

  /**
   * Asks whether this is a repeat; nothing may go upstream before that. The location must be known.
   *
   * @throws AppError when `signal` is aborted first.
   */
  async begin(signal: AbortSignal): Promise<boolean> {
    if (this.#request === null) return false;
    this.#recorded ??= await this.#request.begin(required(this.#state.location(), 'locationId'), signal);
    signal.throwIfAborted();
    return this.isRepeat;
  }

  /** What makes two uploads the same: mode, fields, and of each file its name and leading bytes. */
  fingerprint(): string {
    if (this.#request === null) return '';
    const { mode, fields, files } = this.#state;
    const described = files.map(({ name, leadingDigest }) => [name, leadingDigest]);
    return fingerprintOf({ mode, fields, locationId: this.#state.location(), files: described });
  }

  /** The same for a direct upload, which may have been sent with more or fewer of its bytes. */
  directFingerprint(directFile: DirectFile, digest: string | null): string {
    if (this.#request === null) return '';
    return fingerprintOf({ ...directFile, mode: this.#state.mode, delivery: null, digest });
  }

  /**
   * The response of the earlier request.
   *
   * @throws AppError `IDEMPOTENCY_MISMATCH`, `IDEMPOTENCY_UNKNOWN`
   */
  recordedResponse(fingerprint: string): UploadResponse {
    return this.#recorded?.outcomeFor(fingerprint) as UploadResponse;
  }

  /** The next bytes may complete the upload at Leadway. */
  async commit(fingerprint: string): Promise<void> {
    await this.#request?.commit(fingerprint);
  }

  /** Remembers `response` for a repeat. */
  succeed(fingerprint: string, response: UploadResponse): void {
    this.#ended = this.#request?.succeed(fingerprint, response).catch(() => {}) ?? null; // a repeat gets IDEMPOTENCY_UNKNOWN
  }

  /**
   * Remembers the failure where a repeat could store a file twice. Returns the error to respond with.
   *
   * @param isPartial Whether one of several files may be at Leadway already.
   */
  fail(error: AppError, isPartial: boolean): AppError {
    const clientError = this.#request?.toClientError(error, isPartial) ?? error;
    this.#ended = this.#request?.fail(error, isPartial).catch(() => {}) ?? null; // its lease ends by itself
    return clientError;
  }

  /** Resolves when the outcome is remembered. */
  async ended(): Promise<void> {
    await this.#ended;
  }
}
