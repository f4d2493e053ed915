import type { StoreTotals, UploadItem } from '../store.ts';
import { type Card, type CardAction, createCard } from './card.ts';
import { announceItem, join, type Moment } from './describe-item.ts';
import { create, createButton, setIcon, setText } from './dom.ts';
import { formatRemaining } from './formats.ts';
import type { FileTypes } from './kinds.ts';

/** Announces more changes than this at once as a count. */
const MAX_NEWS = 3;

/** What the view shows besides the items. */
export interface ViewState extends Omit<Moment, 'nowMs' | 'tookMs'> {
  readonly isMultiple: boolean;
  readonly isDisabled: boolean;
  /** For the file chooser. */
  readonly accept: string;
  /** The types that the server takes, once they are known. */
  readonly types: FileTypes | undefined;
  readonly takesPictures: boolean;
  readonly coversPage: boolean;
  /** What is accepted; an error where the server can't be reached. */
  readonly limits: string;
  readonly isWrong: boolean;
}

/** What happens in the view. */
export interface ViewEvents {
  choose(files: readonly File[], isFolder: boolean): void;
  act(id: string, action: CardAction): void;
  pause(): void;
  endAll(): void;
}

/** The content of the element. */
export interface View {
  readonly root: HTMLElement;
  readonly browse: HTMLButtonElement;
  /** Shows the items and their totals, and `state` where that has changed. */
  show(items: readonly UploadItem[], totals: StoreTotals, state: ViewState): void;
  /** Shows waiting times as they are now. */
  tick(): void;
  /** Shows what is not about one file, until the next call. */
  notify(text: string): void;
  say(text: string): void;
  showPicker(): void;
}

/** Creates the content of the element. */
export function createView(on: ViewEvents): View {
  const heading = create('p', { part: 'heading' });
  const hint = create('p', { part: 'hint' });
  const limits = create('p', { part: 'limits', id: 'limits' });
  const browse = createButton({ part: 'button browse', 'aria-describedby': 'limits' }, 'attach');
  const camera = createButton({ part: 'button camera' }, 'camera');
  const folder = createButton({ part: 'button folder' }, 'folder');
  const files = createInput('files', browse);
  const photo = createInput('camera', camera);
  const tree = createInput('folder', folder);
  photo.accept = 'image/*';
  photo.capture = 'environment';
  tree.webkitdirectory = true;
  const count = create('p', { part: 'count' });
  const filled = create('div', { part: 'fill' });
  const track = create('div', { part: 'track', role: 'progressbar' }, filled);
  const pause = createButton({ class: 'quiet pause', part: 'pause' }, 'pause');
  const endAll = createButton({ class: 'quiet end-all', part: 'end-all' });
  const summary = create('div', { part: 'summary', hidden: '' }, count, pause, endAll, track);
  const notice = create('p', { part: 'notice', role: 'alert' });
  const empty = slot('empty');
  const list = create('ul', { part: 'list', role: 'list' });
  const status = create('p', { class: 'unseen', role: 'status' });
  const landingText = create('span');
  const landing = create('p', { part: 'landing', 'aria-hidden': 'true' }, landingText);
  const root = create(
    'div',
    { part: 'root' },
    create(
      'div',
      { part: 'drop' },
      create('div', { class: 'words' }, slot('heading', heading), slot('hint', hint)),
      create('div', { part: 'buttons' }, browse, camera, folder, files, photo, tree),
      limits,
    ),
    notice,
    summary,
    empty,
    list,
    status,
    landing,
  );
  const cards = new Map<string, { card: Card; item: UploadItem }>();
  let shown: ViewState | undefined;
  let news: string[] = [];

  pause.onclick = () => on.pause();
  endAll.onclick = () => {
    on.endAll();
    if (endAll.hidden || summary.hidden) browse.focus();
  };

  function createInput(purpose: string, button: HTMLButtonElement): HTMLInputElement {
    const input = create('input', { type: 'file', hidden: '', class: `input-${purpose}`, tabindex: '-1' });
    button.onclick = () => input.click();
    input.onchange = () => {
      const chosen = [...(input.files ?? [])];
      input.value = ''; // the same file may be chosen again
      if (chosen.length) on.choose(chosen, input === tree);
    };
    return input;
  }

  function showState(state: ViewState): void {
    const { texts, isMultiple, isDisabled } = state;
    setText(heading, texts.heading(isMultiple));
    setText(hint, texts.hint);
    setText(limits, state.limits);
    limits.classList.toggle('wrong', state.isWrong);
    setText(browse.lastElementChild as Element, texts.choose(isMultiple));
    setText(camera.lastElementChild as Element, texts.camera);
    setText(folder.lastElementChild as Element, texts.folder);
    setText(landingText, texts.landing);
    files.multiple = isMultiple;
    files.accept = state.accept;
    camera.hidden = !state.takesPictures;
    folder.hidden = !isMultiple;
    landing.hidden = !state.coversPage;
    for (const button of [browse, camera, folder]) button.disabled = isDisabled;
    const pauseText = state.isPaused ? texts.resume : texts.pause;
    setText(pause.lastElementChild as Element, pauseText);
    pause.ariaLabel = pauseText; // narrow elements show the icon alone
    setIcon(pause.firstElementChild as Element, state.isPaused ? 'resume' : 'pause');
    list.ariaLabel = texts.list;
    track.ariaLabel = texts.overall;
  }

  function addCard(item: UploadItem): Card {
    const { id } = item;
    const card = createCard(item, shown?.types, { act: (action) => on.act(id, action), say });
    list.append(card.element);
    return card;
  }

  /** Gives the focus of a card that goes to its neighbour. */
  function removeCard(id: string): void {
    const card = cards.get(id)?.card;
    cards.delete(id);
    if (!card) return;
    const { element } = card;
    const neighbour = element.nextElementSibling ?? element.previousElementSibling;
    const hadFocus = element.contains((root.getRootNode() as ShadowRoot).activeElement);
    element.remove();
    if (!hadFocus) return;
    const next = [...cards.values()].find((other) => other.card.element === neighbour);
    (next?.card ?? browse).focus();
  }

  function showSummary(totals: StoreTotals, { texts, language, isPaused, isMultiple }: ViewState): void {
    const { files, doneFiles, activeFiles, fraction, remainingMs, waitingMessage } = totals;
    // From the first file on, so that the second one does not move it.
    summary.hidden = !files || !isMultiple;
    const left = remainingMs !== undefined && texts.remaining(formatRemaining(remainingMs, language));
    setText(
      count,
      waitingMessage && activeFiles > 1 ? waitingMessage : join(texts.count(doneFiles, files), left),
    );
    pause.hidden = !isPaused && (!activeFiles || files < 2);
    endAll.hidden = files < 2;
    setText(endAll.lastElementChild as Element, activeFiles ? texts.cancelAll : texts.removeAll);
    track.classList.toggle('on', activeFiles > 0);
    track.ariaValueNow = String(Math.round(fraction * 100));
    track.ariaValueText = texts.count(doneFiles, files);
    filled.style.setProperty('--fraction', String(fraction));
  }

  function say(text: string): void {
    if (!text) return;
    if (!news.length) {
      queueMicrotask(() => {
        status.textContent = news.length > MAX_NEWS ? count.textContent : news.join(' ');
        news = [];
      });
    }
    news.push(text);
  }

  return {
    root,
    browse,
    show(items, totals, state) {
      const isNewState = state !== shown;
      if (isNewState) showState(state);
      shown = state;
      const gone = new Set(cards.keys());
      let isFirst = true;
      for (const item of items) {
        gone.delete(item.id);
        const known = cards.get(item.id);
        if (known?.item === item && !isNewState) continue;
        const card = known?.card ?? addCard(item);
        card.show(item, state);
        say(announceItem(item, known?.item, state));
        cards.set(item.id, { card, item });
        if (!known && isFirst) card.element.scrollIntoView?.({ block: 'nearest' });
        if (!known) isFirst = false;
      }
      for (const id of gone) removeCard(id);
      empty.hidden = items.length > 0;
      showSummary(totals, state);
    },
    tick() {
      if (!shown) return;
      for (const { card, item } of cards.values()) {
        if (item.progress.retryAtMs !== undefined) card.show(item, shown);
      }
    },
    notify: (text) => setText(notice, text),
    say,
    showPicker: () => browse.click(),
  };
}

/** A place where a page may put its own content. */
function slot(name: string, ...content: Node[]): HTMLElement {
  return create('slot', { name }, ...content);
}
