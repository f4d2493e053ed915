import { sleep, waitForOnline } from './abortable.ts';
import type { UploadErrorCode } from './error-codes.ts';
import type { ErrorFactory } from './messages.ts';
import type { ProgressTracker } from './progress.ts';
import type { UploaderOptions } from './types.ts';
import { UploadError } from './upload-error.ts';

/** The longest total time that an upload waits because the server sent `Retry-After`. */
const MAX_HOLD_TOTAL_MS = 60 * 60_000;
const MIN_HOLD_MS = 500;
const MAX_DELAY_MS = 30_000;
/** Some browsers miss the `online` event, so the network is tried again after this. */
const OFFLINE_MS = 60_000;

/** When the server accepts requests again. All uploads of an uploader share it. */
export interface Hold {
  untilMs: number;
  code: UploadErrorCode;
}

/** Dependencies of {@link retry}. */
export interface RetryOptions {
  readonly errors: ErrorFactory;
  readonly file: File;
  readonly signal: AbortSignal | undefined;
  readonly options: UploaderOptions;
  readonly hold: Hold;
  readonly progress: ProgressTracker;
}

/**
 * Calls `attempt` until it succeeds or fails for good: again after a delay when the failure may pass, when the
 * server says so, or when the network is back.
 */
export async function retry<T>(
  attempt: () => Promise<T>,
  { file, signal, options, hold, progress, errors }: RetryOptions,
): Promise<T> {
  const { retries = 5, retryDelayMs = 1000 } = options;
  let failures = 0;
  let heldMs = 0;

  async function wait(ms: number, waitingFor: UploadErrorCode): Promise<void> {
    const waitingMessage = errors.explainWait(waitingFor);
    progress.update({ phase: 'waiting', retryAtMs: Date.now() + ms, waitingFor, waitingMessage });
    await sleep(ms, signal);
  }

  for (;;) {
    while (hold.untilMs > Date.now()) {
      const ms = hold.untilMs - Date.now();
      heldMs += ms;
      // Spread out: uploads that come back at the same moment would be rejected together again.
      await wait(ms + Math.random() * Math.min(ms, 1000), hold.code);
    }
    try {
      return await attempt();
    } catch (error) {
      signal?.throwIfAborted();
      // Without a server at the endpoint no attempt can succeed.
      if (!(error instanceof UploadError) || error.is('SERVER_NOT_FOUND')) throw error;
      const { code, status, retryable, retryAfterMs = 0 } = error;
      if (code === 'NETWORK') {
        // A file that has changed since it was chosen looks like a broken network, and never recovers.
        try {
          await file.slice(0, 1).arrayBuffer();
        } catch (cause) {
          throw errors.toError('UNREADABLE', { cause });
        }
        if (navigator.onLine === false) {
          const waitingMessage = errors.explainWait('OFFLINE');
          progress.update({ phase: 'waiting', waitingFor: 'OFFLINE', waitingMessage });
          await waitForOnline(OFFLINE_MS, signal);
          continue;
        }
      }
      if (retryable && retryAfterMs && (status === 429 || status === 503)) {
        if (heldMs + retryAfterMs > MAX_HOLD_TOTAL_MS) throw error;
        hold.code = code;
        hold.untilMs = Math.max(hold.untilMs, Date.now() + Math.max(retryAfterMs, MIN_HOLD_MS));
        continue;
      }
      if (!retryable || failures >= retries) throw error;
      const delayMs = Math.min(MAX_DELAY_MS, retryDelayMs * 2 ** failures++);
      await wait(Math.max(retryAfterMs, delayMs * (0.5 + Math.random() / 2)), code);
    }
  }
}
