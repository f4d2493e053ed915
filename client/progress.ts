import type { UploadProgress } from './types.ts';

/** The time constant of the smoothed speed. */
const SMOOTHING_MS = 3000;
/** Progress events come in bursts, so shorter intervals are not measured. */
const MIN_SAMPLE_MS = 200;

/** The progress of a file before anything has happened. */
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

/** Keeps the progress of one upload and reports every change. */
export interface ProgressTracker {
  /** Applies a change, and clears the reason for waiting. */
  update(change: Partial<UploadProgress>): void;
  /** Starts an attempt: the file is sent from its first byte. */
  startAttempt(): void;
  /** Records how much of the body has been sent, from 0 to 1. */
  setSent(fraction: number): void;
}

/** Creates the tracker of `file`, which reports to `listener`. */
export function createProgressTracker(
  file: File,
  listener: ((progress: UploadProgress) => void) | undefined,
): ProgressTracker {
  let current = initialProgress(file);
  let attempts = 0;
  let sampledAt = 0;
  let sampledBytes = 0;

  function update(change: Partial<UploadProgress>): void {
    current = { ...current, retryAtMs: undefined, waitingFor: undefined, ...change };
    listener?.(current);
  }

  return {
    update,
    startAttempt() {
      sampledAt = 0;
      const { mode } = current;
      update({ ...initialProgress(file), mode, phase: 'checking', attempt: ++attempts });
    },
    setSent(fraction) {
      const { totalBytes } = current;
      const loadedBytes = Math.max(
        current.loadedBytes,
        Math.min(totalBytes, Math.round(totalBytes * fraction)),
      );
      let { bytesPerSecond } = current;
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
      update({
        phase: fraction < 1 ? 'uploading' : 'confirming',
        loadedBytes,
        fraction: loadedBytes / totalBytes,
        bytesPerSecond,
        remainingMs,
      });
    },
  };
}
