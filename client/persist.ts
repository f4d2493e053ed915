import { sleep, untilOnline } from './abortable.ts';
import type { UploadErrorCode } from './error-codes.ts';
import type { ErrorMaker } from './messages.ts';
import type { Reporter } from './progress.ts';
import type { UploaderOptions } from './types.ts';
import { UploadError } from './upload-error.ts';

/** How long an upload waits in all because the server asked for it. */
const MAX_PATIENCE_MS = 60 * 60_000;
const MIN_HOLD_MS = 500;
const MAX_DELAY_MS = 30_000;
/** However sure the browser is of being offline, it is asked again. */
const OFFLINE_MS = 60_000;

/** When the server wants to see us again; all uploads of an uploader keep to it. */
export interface Hold {
  untilMs: number;
  code: UploadErrorCode;
}

/** What {@link persist} goes by. */
export interface PersistOptions extends ErrorMaker {
  readonly file: File;
  readonly signal: AbortSignal | undefined;
  readonly options: UploaderOptions;
  readonly hold: Hold;
  readonly report: Reporter;
}

/**
 * Tries until it works or can't work: again after a while where a failure may pass, when the server says where
 * it says so, and when the network is back where it was gone.
 */
export async function persist<T>(
  attempt: () => Promise<T>,
  { file, signal, options, hold, report, toError }: PersistOptions,
): Promise<T> {
  const { retries = 5, retryDelayMs = 1000 } = options;
  let failures = 0;
  let waitedMs = 0;

  async function wait(ms: number, waitingFor: UploadErrorCode): Promise<void> {
    report.note({ phase: 'waiting', retryAtMs: Date.now() + ms, waitingFor });
    await sleep(ms, signal);
  }

  for (;;) {
    while (hold.untilMs > Date.now()) {
      const ms = hold.untilMs - Date.now();
      waitedMs += ms;
      // Not all at once: who was told to come back together would only be refused together.
      await wait(ms + Math.random() * Math.min(ms, 1000), hold.code);
    }
    try {
      return await attempt();
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof UploadError)) throw error;
      const { code, status, retryable, retryAfterMs = 0 } = error;
      if (code === 'NETWORK') {
        // A file that has changed since it was chosen fails like a network, and for good.
        try {
          await file.slice(0, 1).arrayBuffer();
        } catch (cause) {
          throw toError('UNREADABLE', { cause });
        }
        if (navigator.onLine === false) {
          report.note({ phase: 'waiting', waitingFor: 'OFFLINE' });
          await untilOnline(OFFLINE_MS, signal);
          continue;
        }
      }
      if (retryable && retryAfterMs && (status === 429 || status === 503)) {
        if (waitedMs + retryAfterMs > MAX_PATIENCE_MS) throw error;
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
