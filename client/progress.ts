import type { UploadProgress } from './types.ts';

/** The time constant of the smoothed speed. */
const SMOOTHING_MS = 3000;
/** Progress events come in bursts, so shorter intervals are not measured. */
const MIN_SAMPLE_MS = 200;
/** How often the speed of a silent upload is lowered. */
const TICK_MS = 1000;
/** An upload without progress for this long has stalled. */
const STALLED_MS = 5000;

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
    isStalled: false,
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
  /** Stops the clock that lowers the speed of a silent upload. */
  stop(): void;
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
  let hasBaseline = false;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function update(change: Partial<UploadProgress>): void {
    clearTimeout(timer);
    current = {
      ...current,
      retryAtMs: undefined,
      waitingFor: undefined,
      waitingMessage: undefined,
      isStalled: false,
      ...change,
    };
    listener?.(current);
  }

  /** Smooths the speed over the bytes since the last sample. */
  function sample(loadedBytes: number, nowMs: number): number {
    const elapsedMs = nowMs - sampledAt;
    const rate = ((loadedBytes - sampledBytes) / elapsedMs) * 1000;
    let { bytesPerSecond } = current;
    // The first interval says nothing: it fills the buffers of the kernel.
    if (hasBaseline) {
      const weight = bytesPerSecond ? elapsedMs / (elapsedMs + SMOOTHING_MS) : 1;
      bytesPerSecond += weight * (rate - bytesPerSecond);
    }
    sampledAt = nowMs;
    sampledBytes = loadedBytes;
    return bytesPerSecond;
  }

  function remainingMs(bytes: number, bytesPerSecond: number): number | undefined {
    return bytesPerSecond ? (bytes / bytesPerSecond) * 1000 : undefined;
  }

  function watch(silentMs: number): void {
    timer = setTimeout(() => {
      const { loadedBytes, totalBytes } = current;
      const isStalled = silentMs + TICK_MS >= STALLED_MS;
      const bytesPerSecond = isStalled ? 0 : sample(loadedBytes, performance.now());
      update({
        bytesPerSecond,
        remainingMs: remainingMs(totalBytes - loadedBytes, bytesPerSecond),
        isStalled,
      });
      watch(silentMs + TICK_MS);
    }, TICK_MS);
  }

  return {
    update,
    startAttempt() {
      sampledAt = 0;
      hasBaseline = false;
      const { mode, totalBytes, delivery } = current;
      update({
        ...initialProgress(file),
        mode,
        totalBytes,
        delivery,
        phase: 'checking',
        attempt: ++attempts,
      });
    },
    setSent(fraction) {
      const { totalBytes } = current;
      const loadedBytes = Math.max(
        current.loadedBytes,
        Math.min(totalBytes, Math.round(totalBytes * fraction)),
      );
      let { bytesPerSecond } = current;
      const nowMs = performance.now();
      if (!sampledAt) {
        sampledAt = nowMs;
        sampledBytes = loadedBytes;
      } else if (nowMs - sampledAt >= MIN_SAMPLE_MS) {
        bytesPerSecond = sample(loadedBytes, nowMs);
        hasBaseline = true;
      }
      const isSending = fraction < 1;
      update({
        phase: isSending ? 'uploading' : 'confirming',
        loadedBytes,
        fraction: loadedBytes / totalBytes,
        bytesPerSecond,
        remainingMs: remainingMs(totalBytes - loadedBytes, bytesPerSecond),
      });
      if (isSending) watch(0);
    },
    stop: () => clearTimeout(timer),
  };
}
