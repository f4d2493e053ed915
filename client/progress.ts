import type { UploadProgress } from './types.ts';

/** Over how long the speed is smoothed. */
const SMOOTHING_MS = 3000;
/** Progress events come in bursts; a shorter stretch says little. */
const MIN_SAMPLE_MS = 200;

/** The progress of a file with which nothing has happened yet. */
export function initialProgress(file: File): UploadProgress {
  return {
    file,
    phase: 'waiting',
    mode: undefined,
    loadedBytes: 0,
    totalBytes: file.size,
    fraction: 0,
    bytesPerSecond: 0,
    remainingMs: undefined,
    attempt: 1,
  };
}

/** Keeps the progress of one upload and tells of it. */
export interface Reporter {
  /** Notes a change; a phase puts an end to waiting. */
  note(change: Partial<UploadProgress>): void;
  /** Begins the file anew, from the second time on. */
  begin(): void;
  /** Notes how much of the body has been sent, from 0 to 1. */
  sent(fraction: number): void;
}

/** A reporter for `file` to `listener`. */
export function createReporter(
  file: File,
  listener: ((progress: UploadProgress) => void) | undefined,
): Reporter {
  let now = initialProgress(file);
  let attempts = 0;
  let sampledAt = 0;
  let sampledBytes = 0;

  function note(change: Partial<UploadProgress>): void {
    now = { ...now, retryAtMs: undefined, waitingFor: undefined, ...change };
    listener?.(now);
  }

  return {
    note,
    begin() {
      sampledAt = 0;
      const { mode } = now;
      note({ ...initialProgress(file), mode, phase: 'checking', attempt: ++attempts });
    },
    sent(fraction) {
      const { totalBytes } = now;
      const loadedBytes = Math.max(now.loadedBytes, Math.min(totalBytes, Math.round(totalBytes * fraction)));
      let { bytesPerSecond } = now;
      const nowMs = performance.now();
      const elapsedMs = nowMs - sampledAt;
      if (!sampledAt || elapsedMs >= MIN_SAMPLE_MS) {
        if (sampledAt) {
          const rate = ((loadedBytes - sampledBytes) / elapsedMs) * 1000;
          const weight = bytesPerSecond ? elapsedMs / (elapsedMs + SMOOTHING_MS) : 1;
          bytesPerSecond += weight * (rate - bytesPerSecond);
        }
        sampledAt = nowMs;
        sampledBytes = loadedBytes;
      }
      const remainingMs = bytesPerSecond ? ((totalBytes - loadedBytes) / bytesPerSecond) * 1000 : undefined;
      note({
        phase: fraction < 1 ? 'uploading' : 'confirming',
        loadedBytes,
        fraction: loadedBytes / totalBytes,
        bytesPerSecond,
        remainingMs,
      });
    },
  };
}
