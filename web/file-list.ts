import type { Uploader } from '../client/index.ts';
import type { UploadItem, UploadStore } from '../client/store.ts';
import { announceItem } from './card-words.ts';
import { find, setText } from './elements.ts';
import { createFileCard, type FileCard } from './file-card.ts';
import { inEveryLanguage, texts } from './language.ts';

/** How often waiting times are counted down. */
const TICK_MS = 500;

const ENDED: readonly UploadItem['state'][] = ['done', 'failed', 'cancelled'];

/** Shows what the store holds, a card for each file, and keeps the buttons above them. */
export function createFileList(store: UploadStore, uploader: Pick<Uploader, 'pause' | 'resume'>): void {
  const list = find(document, '#cards', HTMLUListElement);
  const empty = find(document, '#empty', HTMLElement);
  const count = find(document, '#count', HTMLElement);
  const title = find(document, '#files-title', HTMLElement);
  const pause = find(document, '#pause', HTMLButtonElement);
  const clear = find(document, '#clear', HTMLButtonElement);
  const cards = new Map<string, { card: FileCard; item: UploadItem }>();
  let isPaused = false;
  let isNews = false;

  const show = (): void => {
    const items = store.getSnapshot();
    const gone = new Set(cards.keys());
    isNews = true; // of several new cards the first is brought into view
    for (const item of items) {
      gone.delete(item.id);
      const known = cards.get(item.id);
      if (known?.item === item) continue;
      const card = known?.card ?? add(item);
      card.show(item, isPaused);
      say(announceItem(item, known?.item ?? null));
      cards.set(item.id, { card, item });
    }
    for (const id of gone) remove(id);
    const done = items.filter(({ state }) => state === 'done').length;
    setText(count, items.length === 0 ? '' : texts().count(done, items.length));
    empty.hidden = items.length > 0;
    clear.hidden = !items.some(({ state }) => ENDED.includes(state));
    pause.hidden = !isPaused && !items.some(({ state }) => !ENDED.includes(state));
  };

  const add = (item: UploadItem): FileCard => {
    const { id } = item;
    const card = createFileCard(item, { act: (action) => store[action](id), say });
    list.append(card.element);
    if (isNews) card.element.scrollIntoView({ block: 'nearest' });
    isNews = false;
    return card;
  };

  /** Who had the focus in a card that goes finds it in the next one. */
  const remove = (id: string): void => {
    const card = cards.get(id)?.card;
    cards.delete(id);
    if (card === undefined) return;
    const neighbour = card.element.nextElementSibling ?? card.element.previousElementSibling;
    const hadFocus = card.element.contains(document.activeElement);
    card.element.remove();
    if (!hadFocus) return;
    const next = [...cards.values()].find((other) => other.card.element === neighbour);
    if (next === undefined) title.focus();
    else next.card.focus();
  };

  const showPause = (): void => {
    const word = isPaused ? texts().resume : texts().pause;
    setText(find(pause, 'span', HTMLElement), word);
    pause.ariaLabel = word; // on narrow pages the icon stands alone
    pause.querySelector('use')?.setAttribute('href', isPaused ? '#icon-play' : '#icon-pause');
  };

  const showAll = (): void => {
    for (const { card, item } of cards.values()) card.show(item, isPaused);
    showPause();
    show();
  };

  pause.addEventListener('click', () => {
    isPaused = !isPaused;
    if (isPaused) uploader.pause();
    else uploader.resume();
    showAll();
  });
  clear.addEventListener('click', () => {
    for (const { id, state } of store.getSnapshot()) if (ENDED.includes(state)) store.remove(id);
    title.focus();
  });
  store.subscribe(show);
  setInterval(() => {
    for (const { card, item } of cards.values())
      if (item.progress.retryAtMs !== undefined) card.show(item, isPaused);
  }, TICK_MS);
  inEveryLanguage(showAll);
}

/** Lets screen readers say `text`. */
export function say(text: string): void {
  if (text !== '') find(document, '#status', HTMLElement).textContent = text;
}
