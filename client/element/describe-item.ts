import { isOutcomeUnknown } from '../file-upload.ts';
import { deliveryWarning, type UploadItem } from '../store.ts';
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
  return ['done', 'failed', 'cancelled'].includes(state);
}

/** Whether trying again can help: not where the file itself is the reason. */
export function canRetry({ state, error }: Pick<UploadItem, 'state' | 'error'>): boolean {
  return state === 'cancelled' || error?.retryable === true || error?.status === 401 || isForUser(error);
}

/** Whether the user has to decide on another try: the file may be there already, or will not be delivered. */
export function isForUser(error: UploadItem['error']): boolean {
  // Where it is the server that rejects what is not delivered, another try does not help.
  return !!error && (isOutcomeUnknown(error) || (error.code === 'NOT_DELIVERABLE' && !error.requestId));
}

/** Says how an upload is at that moment. */
export function describeItem(item: UploadItem, moment: Moment): CardWords {
  const { state, progress, file, result, error } = item;
  const { texts, language, nowMs, tookMs, isPaused, hasDetails } = moment;
  // The content of a file of an earlier load of the page is gone.
  const size = file.size ? formatBytes(file.size, language) : '';
  if (result) {
    if (!hasDetails) return { line: texts.done, fine: size };
    const took = size && texts.took(size, formatTook(tookMs, language));
    return { line: result.url, fine: join(took, texts.by[result.mode]) };
  }
  if (error) {
    const { code, requestId, status, message } = error;
    if (hasDetails) return { line: message, fine: join(code, requestId) };
    // Support can help with what the server got wrong, not with a file of the wrong type.
    return { line: message, fine: requestId && status >= 500 ? texts.reference(requestId) : '' };
  }
  if (state === 'cancelled') return { line: texts.cancelled, fine: size };
  const { mode, waitingFor, waitingMessage, retryAtMs, loadedBytes, bytesPerSecond, remainingMs } = progress;
  const attempt = progress.attempt > 1 && texts.attempt(progress.attempt);
  if (waitingMessage) {
    const next = retryAtMs !== undefined && texts.retryIn(formatRemaining(retryAtMs - nowMs, language));
    return { line: waitingMessage, fine: join(next, size, hasDetails && waitingFor, attempt) };
  }
  if (state === 'waiting') {
    const idle = isPaused ? texts.paused : texts.waiting;
    return { line: progress.attempt > 1 ? texts.retrying : idle, fine: size };
  }
  if (state !== 'uploading') return { line: texts[state], fine: join(size, attempt) };
  const how = hasDetails && mode ? `${texts.uploading} ${texts.by[mode]}` : texts.uploading;
  return {
    line: progress.isStalled ? texts.stalled : how,
    fine: join(
      texts.amount(formatBytes(loadedBytes, language), size),
      bytesPerSecond > 0 && `${formatBytes(bytesPerSecond, language)}/s`,
      remainingMs !== undefined && texts.remaining(formatRemaining(remainingMs, language)),
      attempt,
    ),
  };
}

/** What screen readers announce of a change; empty if it is not worth a word. */
export function announceItem(item: UploadItem, before: UploadItem | undefined, speech: Speech): string {
  const { name } = item.file;
  const { texts, language } = speech;
  const { retryAtMs } = item.progress;
  if (item.state === before?.state && retryAtMs === before.progress.retryAtMs) return '';
  if (item.state === 'done') return `${texts.saidDone(name)} ${deliveryWarning(item)}`.trim();
  if (item.error) return `${name}: ${item.error.message}`;
  if (item.state === 'cancelled') return `${name}: ${texts.cancelled}`;
  if (retryAtMs === undefined) return '';
  return `${name}: ${texts.retryIn(formatRemaining(retryAtMs - Date.now(), language))}`;
}

/** Joins the parts that there are; lines break between them and not within. */
export function join(...parts: (string | false | undefined)[]): string {
  return parts
    .filter(Boolean)
    .map((part) => String(part).replaceAll(' ', '\u00a0'))
    .join(', ');
}
