import { formatTook } from '../client/element/formats.ts';
import type { RequestEntry } from '../client/types.ts';
import { cloneTemplate, find, setText } from './elements.ts';
import { language, texts } from './language.ts';

/** The least share of the scale, so that short requests can be seen. */
const MIN_SHARE = 0.012;

/** One request in the panel. */
export interface WireRow {
  readonly element: HTMLElement;
  /** Shows the request on a scale of times as `Date.now()` counts. */
  show(entry: RequestEntry, scale: { from: number; to: number }): void;
}

/** Creates the row of a request. */
export function createWireRow(): WireRow {
  const element = cloneTemplate('wire-request');
  const [method, path, outcome, took, span] = ['.method', '.path', '.outcome', '.took', '.span'].map((part) =>
    find(element, part, HTMLElement),
  ) as [HTMLElement, HTMLElement, HTMLElement, HTMLElement, HTMLElement];
  return {
    element,
    show(entry, { from, to }) {
      const { status, endedAtMs, startedAtMs } = entry;
      const isPending = endedAtMs === undefined;
      element.dataset['target'] = entry.target;
      const isAborted = entry.code === 'ABORTED';
      element.classList.toggle('pending', isPending);
      element.classList.toggle('aborted', isAborted);
      element.classList.toggle('wrong', !isPending && !isAborted && (!status || status >= 400));
      setText(method, entry.method);
      setText(path, toPlace(entry));
      path.title = entry.url;
      setText(outcome, toOutcome(entry));
      setText(took, isPending ? '' : formatTook(endedAtMs - startedAtMs, language()));
      const share = Math.max(MIN_SHARE, ((endedAtMs ?? to) - startedAtMs) / (to - from));
      const start = Math.min(1 - share, (startedAtMs - from) / (to - from));
      span.style.transform = `translateX(${start * 100}%) scaleX(${share})`; // no layout shift
    },
  };
}

function toOutcome({ endedAtMs, status, code }: RequestEntry): string {
  if (endedAtMs === undefined) return texts().pending;
  if (code === 'ABORTED') return texts().aborted;
  return status ? String(status) : texts().noResponse;
}

/** For storage its host; for this server the path without the part that all paths share. */
function toPlace({ url, target }: RequestEntry): string {
  const { host, pathname, search } = new URL(url, location.href);
  if (target === 'storage') return host;
  return `${pathname.replace(/^.*\/(?=config$|upload\b)/, '')}${search}`;
}
