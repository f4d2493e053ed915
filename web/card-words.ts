import type { UploadItem } from '../client/store.ts';
import { formatBytes, formatRemaining, formatSpeed, formatTook } from './formats.ts';
import { texts } from './language.ts';

/** The two lines below a file's name: what it is doing, and the figures to that. */
export interface CardWords {
  readonly line: string;
  readonly fine: string;
}

/** What the words depend on besides the upload itself. */
export interface Moment {
  /** As `Date.now()` counts. */
  readonly now: number;
  /** How long the upload has taken so far, or in all. */
  readonly tookMs: number;
  /** Whether files that have not begun are held back. */
  readonly isPaused: boolean;
}

/** Says how an upload is at that moment. */
export function describeItem(item: UploadItem, { now, tookMs, isPaused }: Moment): CardWords {
  const { state, progress, file, result, error } = item;
  const words = texts();
  const size = formatBytes(file.size);
  if (state === 'done' && result !== undefined) {
    return { line: result.url, fine: join(words.took(size, formatTook(tookMs)), words.sentBy[result.mode]) };
  }
  if (state === 'failed' && error !== undefined) {
    const { code, requestId } = error;
    return { line: error.message, fine: join(code, requestId) };
  }
  if (state === 'cancelled') return { line: words.cancelled, fine: size };
  const attempt = progress.attempt > 1 ? words.attempt(progress.attempt) : '';
  if (progress.waitingFor === 'OFFLINE') return { line: words.offline, fine: join(size, attempt) };
  if (progress.retryAtMs !== undefined) {
    const line = words.waitingFor(formatRemaining(progress.retryAtMs - now));
    return { line, fine: join(size, progress.waitingFor, attempt) };
  }
  if (state === 'waiting') {
    const idle = isPaused ? words.paused : words.waiting;
    return { line: progress.attempt > 1 ? words.tryingAgain : idle, fine: size };
  }
  if (state === 'checking') return { line: words.checking, fine: join(size, attempt) };
  if (state === 'confirming') return { line: words.confirming, fine: join(size, attempt) };
  return {
    line: progress.mode === undefined ? words.uploading : words.sendingBy[progress.mode],
    fine: join(
      words.amount(formatBytes(progress.loadedBytes), size),
      progress.bytesPerSecond > 0 && formatSpeed(progress.bytesPerSecond),
      progress.remainingMs !== undefined && words.remaining(formatRemaining(progress.remainingMs)),
      attempt,
    ),
  };
}

/** What screen readers are told of a change; empty where it is not worth a word. */
export function announceItem(item: UploadItem, before: UploadItem | null): string {
  const { name } = item.file;
  const words = texts();
  const { retryAtMs } = item.progress;
  if (item.state === before?.state && retryAtMs === before.progress.retryAtMs) return '';
  if (item.state === 'done') return words.saidDone(name);
  if (item.state === 'failed') return words.saidFailed(name, item.error?.message ?? '');
  if (item.state === 'cancelled') return words.saidCancelled(name);
  if (retryAtMs !== undefined) return words.saidRetrying(name, formatRemaining(retryAtMs - Date.now()));
  return '';
}

/** Lines break between the parts and not within them. */
function join(...parts: (string | false | undefined)[]): string {
  const said = parts.filter((part) => typeof part === 'string' && part !== '').map(String);
  return said.map((part) => part.replaceAll(' ', '\u00a0')).join(', ');
}
