import { copyText } from '../client/element/copy-text.ts';
import type { UploadItem } from '../client/store.ts';
import { describeItem } from './card-words.ts';
import { cloneTemplate, find, setIcon, setText } from './elements.ts';
import { language, texts } from './language.ts';
import { toShortUrl } from './short-url.ts';
import { drawStamp } from './stamp.ts';

/** How long a button says that it has copied. */
const COPIED_MS = 1_600;

/** What may be done with a file by its card. */
export type CardAction = 'cancel' | 'retry' | 'remove';

/** The card of one file in the list. */
export interface FileCard {
  readonly element: HTMLElement;
  /** Shows another state of the upload, or the same one in another language or a second later. */
  show(item: UploadItem, isPaused: boolean): void;
  /** Gives the card the focus. */
  focus(): void;
}

/** Makes a card; `act` hears which of its buttons was used, `say` gets what screen readers should hear. */
export function createFileCard(
  first: UploadItem,
  { act, say }: { act: (action: CardAction) => void; say: (text: string) => void },
): FileCard {
  const element = cloneTemplate('card');
  const name = find(element, '.card-name', HTMLElement);
  const line = find(element, '.card-line', HTMLElement);
  const fine = find(element, '.card-fine', HTMLElement);
  const bar = find(element, 'progress', HTMLProgressElement);
  const ring = find(element, '.ring', SVGSVGElement);
  const link = Object.assign(document.createElement('a'), { target: '_blank', rel: 'noreferrer' });
  const buttons = [...element.querySelectorAll<HTMLButtonElement>('[data-action]')];
  const copy = find(element, '[data-action=copy]', HTMLButtonElement);
  const startedAt = performance.now();
  let endedAt: number | null = null;

  const { file } = first;
  name.textContent = file.name;
  name.title = file.name;
  drawStamp(find(element, '.stamp', HTMLElement), file);
  for (const button of buttons) {
    const action = button.dataset['action'];
    if (action === 'cancel' || action === 'retry' || action === 'remove') {
      button.addEventListener('click', () => act(action));
    }
  }
  copy.addEventListener('click', async () => {
    if (!(await copyText(link.href, link))) return;
    copy.classList.add('copied');
    nameButtons();
    say(texts().saidCopied(file.name));
    setTimeout(() => {
      copy.classList.remove('copied');
      nameButtons();
    }, COPIED_MS);
  });

  const nameButtons = (): void => {
    const words = texts();
    const isCopied = copy.classList.contains('copied');
    const labels = {
      copy: isCopied ? words.copiedFile : words.copyFile,
      retry: words.retryFile,
      cancel: words.cancelFile,
      remove: words.removeFile,
    };
    for (const button of buttons) {
      const action = button.dataset['action'] as keyof typeof labels;
      button.ariaLabel = labels[action](file.name);
    }
    setIcon(find(copy, '.icon', SVGSVGElement), isCopied ? 'check' : 'copy');
    setText(find(copy, 'span', HTMLElement), isCopied ? words.copied : words.copy);
    setText(find(element, '[data-action=retry] span', HTMLElement), words.retry);
    bar.ariaLabel = words.progressOf(file.name);
  };

  return {
    element,
    show(item, isPaused) {
      const { state, progress, result } = item;
      const isUnderWay = !['done', 'failed', 'cancelled'].includes(state);
      if (isUnderWay) endedAt = null;
      else endedAt ??= performance.now();
      const hadFocus = element.contains(document.activeElement);
      const tookMs = (endedAt ?? performance.now()) - startedAt;
      const words = describeItem(item, { now: Date.now(), tookMs, isPaused });

      element.dataset['state'] = progress.retryAtMs !== undefined && isUnderWay ? 'retrying' : state;
      if (state === 'done' && result !== undefined) {
        link.href = result.url;
        showUrl(link, result.url);
        link.title = result.url;
        if (link.parentElement !== line) line.replaceChildren(link);
      } else {
        setText(line, words.line);
      }
      // The server's sentence stays in the language in which it came.
      line.lang = state === 'failed' ? line.lang || language() : '';
      setText(fine, words.fine);
      const visible = visibleActions(state);
      for (const button of buttons) button.hidden = !visible.includes(button.dataset['action'] ?? '');
      bar.hidden = !isUnderWay;
      bar.value = progress.fraction;
      ring.style.setProperty('--fraction', String(progress.fraction));
      nameButtons();
      // The button that had the focus may have gone: what takes its place gets it.
      if (hadFocus && !element.contains(document.activeElement)) this.focus();
    },
    focus: () => (buttons.find((button) => !button.hidden) ?? name).focus(),
  };
}

/** By its host, where there is room for that, and its end. */
function showUrl(link: HTMLAnchorElement, url: string): void {
  const { host, end } = toShortUrl(url);
  if (link.childElementCount > 0) return;
  const start = Object.assign(document.createElement('span'), { className: 'host', textContent: `${host}/` });
  link.append(start, `…/${end}`);
}

function visibleActions(state: UploadItem['state']): readonly string[] {
  if (state === 'done') return ['copy', 'remove'];
  return state === 'failed' || state === 'cancelled' ? ['retry', 'remove'] : ['cancel'];
}
