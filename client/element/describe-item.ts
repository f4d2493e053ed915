import type { UploadItem } from '../store.ts';
import { formatBytes, formatRemaining, formatTook } from './formats.ts';
import type { Language, UploadTexts } from './texts.ts';

/** How the element speaks. */
export interface Speech {
  readonly texts: UploadTexts;
  readonly language: Language;
}

/** What the words depend on besides the upload itself. */
export interface Moment extends Speech {
  /** As `Date.now()` counts. */
  readonly nowMs: number;
  /** How long the upload has taken so far, or in all. */
  readonly tookMs: number;
  /** Whether files that have not begun are held back. */
  readonly isPaused: boolean;
  /** Whether to name modes, codes and times, as developers want. */
  readonly hasDetails: boolean;
}

/** The two lines below a file's name: what happens to it, and the numbers. */
export interface CardWords {
  readonly line: string;
  readonly fine: string;
}

/** Whether an upload has come to its end, good or bad. */
export function hasEnded({ state }: Pick<UploadItem, 'state'>): boolean {
  return state === 'done' || state === 'failed' || state === 'cancelled';
}

/** Whether trying again can help: not where the file itself is the reason. */
export function canRetry({ state, error }: Pick<UploadItem, 'state' | 'error'>): boolean {
  return (
    state === 'cancelled' || (state === 'failed' && (error?.retryable === true || error?.status === 401))
  );
}

/** Says how an upload is at that moment. */
export function describeItem(item: UploadItem, moment: Moment): CardWords {
  const { state, progress, file, result, error } = item;
  const { texts, language, nowMs, tookMs, isPaused, hasDetails } = moment;
  const size = formatBytes(file.size, language);
  if (result) {
    if (!hasDetails) return { line: texts.done, fine: size };
    const took = texts.took(size, formatTook(tookMs, language));
    return { line: result.url, fine: join(took, texts.doneBy[result.mode]) };
  }
  if (error) {
    const { code, requestId, status, message } = error;
    if (hasDetails) return { line: message, fine: join(code, requestId) };
    // Support can help with what the server got wrong, not with a file of the wrong type.
    return { line: message, fine: requestId && status >= 500 ? texts.reference(requestId) : '' };
  }
  if (state === 'cancelled') return { line: texts.cancelled, fine: size };
  const attempt = progress.attempt > 1 && texts.attempt(progress.attempt);
  if (progress.waitingFor === 'OFFLINE') return { line: texts.offline, fine: join(size, attempt) };
  if (progress.retryAtMs !== undefined) {
    const line = texts.retryIn(formatRemaining(progress.retryAtMs - nowMs, language));
    return { line, fine: join(size, hasDetails && progress.waitingFor, attempt) };
  }
  if (state === 'waiting') {
    const idle = isPaused ? texts.paused : texts.waiting;
    return { line: progress.attempt > 1 ? texts.retrying : idle, fine: size };
  }
  if (state !== 'uploading')
    return { line: texts[state === 'confirming' ? state : 'checking'], fine: join(size, attempt) };
  return {
    line: hasDetails && progress.mode ? texts.uploadingBy[progress.mode] : texts.uploading,
    fine: join(
      texts.amount(formatBytes(progress.loadedBytes, language), size),
      progress.bytesPerSecond > 0 && `${formatBytes(progress.bytesPerSecond, language)}/s`,
      progress.remainingMs !== undefined && texts.remaining(formatRemaining(progress.remainingMs, language)),
      attempt,
    ),
  };
}

/** What screen readers hear of a change; empty where it is not worth a word. */
export function announceItem(item: UploadItem, before: UploadItem | undefined, speech: Speech): string {
  const { name } = item.file;
  const { texts, language } = speech;
  const { retryAtMs } = item.progress;
  if (item.state === before?.state && retryAtMs === before.progress.retryAtMs) return '';
  if (item.state === 'done') return texts.saidDone(name);
  if (item.error) return texts.saidFailed(name, item.error.message);
  if (item.state === 'cancelled') return texts.saidCancelled(name);
  if (retryAtMs === undefined) return '';
  return texts.saidRetrying(name, formatRemaining(retryAtMs - Date.now(), language));
}

/** Lines break between the parts and not within them. */
function join(...parts: (string | false | undefined)[]): string {
  return parts
    .filter((part) => typeof part === 'string' && part !== '')
    .map((part) => String(part).replaceAll(' ', '\u00a0'))
    .join(', ');
}
