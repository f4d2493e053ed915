import { deliveryWarning, type UploadItem } from '../store.ts';
import { copyText } from './copy-text.ts';
import { canRetry, describeItem, hasEnded, isForUser, type Moment } from './describe-item.ts';
import { create, createButton, createRing, setIcon, setText } from './dom.ts';
import type { FileTypes } from './kinds.ts';
import { createThumbnail } from './thumbnail.ts';

/** How long a button says that it has copied. */
const COPIED_MS = 1_600;

/** What a card asks for. */
export type CardAction = 'cancel' | 'retry' | 'remove';

/** The card of one file in the list. */
export interface Card {
  readonly element: HTMLElement;
  /** Shows another state of the upload, or the same one in another language or a second later. */
  show(item: UploadItem, moment: Omit<Moment, 'nowMs' | 'tookMs'>): void;
  /** Gives the focus to the first button of the card. */
  focus(): void;
}

/** Creates a card; `act` is called for its buttons, `say` with what screen readers should hear. */
export function createCard(
  { file }: UploadItem,
  types: FileTypes | undefined,
  { act, say }: { act: (action: CardAction) => void; say: (text: string) => void },
): Card {
  const name = create('a', {
    part: 'name',
    target: '_blank',
    rel: 'noreferrer',
    title: file.name,
  });
  const link = create('a', { target: '_blank', rel: 'noreferrer', part: 'url' });
  const line = create('p', { part: 'line' });
  const fine = create('p', { part: 'fine' });
  const warning = create('p', { part: 'warning' });
  const bar = create('div', { class: 'unseen', role: 'progressbar' });
  const copy = createButton({ part: 'copy', class: 'quiet copy' }, 'copy');
  const retry = createButton({ part: 'retry', class: 'quiet retry' }, 'retry');
  const cancel = createButton({ part: 'cancel', class: 'quiet cancel' }, 'close', false);
  const remove = createButton({ part: 'remove', class: 'quiet remove' }, 'close', false);
  const ring = createRing();
  const buttons = [copy, retry, cancel, remove];
  const startedAtMs = performance.now();
  let endedAtMs: number | undefined;
  let isCopied = false;
  let last: Parameters<Card['show']> | undefined;

  // A name may be of another direction than the language of the page.
  name.append(create('bdi', {}, file.name));
  cancel.prepend(ring);
  const element = create(
    'li',
    { part: 'card' },
    createThumbnail(file, types),
    create('div', { class: 'text' }, name, line, fine, warning, bar),
    create('div', { class: 'actions' }, ...buttons),
  );
  for (const [button, action] of [
    [cancel, 'cancel'],
    [retry, 'retry'],
    [remove, 'remove'],
  ] as const) {
    button.onclick = () => act(action);
  }
  copy.onclick = async () => {
    if (!last || !(await copyText(link.href, link))) return;
    say(`${last[1].texts.copied}: ${file.name}`);
    setCopied(true);
    setTimeout(setCopied, COPIED_MS, false);
  };

  function setCopied(isNow: boolean): void {
    isCopied = isNow;
    if (last) card.show(...last);
  }

  function setButtonTexts({ texts }: Pick<Moment, 'texts'>, isAnyway: boolean): void {
    cancel.ariaLabel = cancel.title = texts.cancelFile(file.name);
    remove.ariaLabel = remove.title = texts.removeFile(file.name);
    copy.classList.toggle('copied', isCopied);
    setIcon(copy.children[0] as Element, isCopied ? 'check' : 'copy');
    for (const [button, word] of [
      [copy, isCopied ? texts.copied : texts.copy],
      [retry, isAnyway ? texts.anyway : texts.retry],
    ] as const) {
      setText(button.children[1] as Element, word);
      button.ariaLabel = `${word}: ${file.name}`;
    }
  }

  const card: Card = {
    element,
    show(item, moment) {
      last = [item, moment];
      const { state, progress, result } = item;
      const isInFlight = !hasEnded(item);
      if (isInFlight) endedAtMs = undefined;
      else endedAtMs ??= performance.now();
      const hadFocus = element.contains(activeElement());
      const tookMs = (endedAtMs ?? performance.now()) - startedAtMs;
      const words = describeItem(item, { ...moment, nowMs: Date.now(), tookMs });

      element.dataset['state'] = progress.retryAtMs !== undefined && isInFlight ? 'retrying' : state;
      if (result && moment.hasDetails) {
        setText(link, result.url);
        link.href = result.url;
        if (link.parentElement !== line) line.replaceChildren(link);
      } else {
        setText(line, words.line);
      }
      if (result) name.href = result.url;
      else name.removeAttribute('href');
      // The server's sentence stays in the language in which it came.
      line.lang = state === 'failed' ? line.lang || moment.language : '';
      setText(fine, words.fine);
      // The message of a file that is held back says the same.
      setText(warning, item.error ? '' : deliveryWarning(item));
      copy.hidden = !(result && moment.hasDetails);
      retry.hidden = !canRetry(item);
      cancel.hidden = !isInFlight;
      remove.hidden = isInFlight;
      bar.hidden = !isInFlight;
      const percent = Math.round(progress.fraction * 100);
      bar.ariaLabel = moment.texts.progressOf(file.name);
      bar.ariaValueNow = String(percent);
      bar.ariaValueText = `${percent} %`;
      ring.style.setProperty('--fraction', String(progress.fraction));
      element.classList.toggle('anyway', isForUser(item.error));
      setButtonTexts(moment, isForUser(item.error));
      // The button that had the focus may be hidden now.
      if (hadFocus && activeElement()?.hidden !== false) card.focus();
    },
    focus: () => buttons.find((button) => !button.hidden)?.focus(),
  };
  return card;

  function activeElement(): HTMLElement | null {
    return (element.getRootNode() as ShadowRoot).activeElement as HTMLElement | null;
  }
}
