import { remember } from './remember.ts';
import { ENGLISH, type Texts } from './texts/english.ts';
import { SPANISH } from './texts/spanish.ts';

/** The languages of the page. */
export type Language = 'en' | 'es';

const TEXTS: Readonly<Record<Language, Texts>> = { en: ENGLISH, es: SPANISH };
const listeners = new Set<() => void>();

/** The language that the page is in; `before-paint.ts` has chosen the first. */
export function language(): Language {
  return document.documentElement.lang === 'es' ? 'es' : 'en';
}

/** The words of that language. */
export function texts(): Texts {
  return TEXTS[language()];
}

/** Changes the language of the whole page and remembers it for the next visit. */
export function setLanguage(next: Language): void {
  document.documentElement.lang = next;
  remember('language', next);
  for (const listener of listeners) listener();
}

/** Calls `render` now and after every change of the language. */
export function inEveryLanguage(render: () => void): void {
  listeners.add(render);
  render();
}

/** Puts the words into the elements below `root` that name them by `data-text`. */
export function translate(root: ParentNode): void {
  const words: Readonly<Record<string, unknown>> = texts();
  for (const element of root.querySelectorAll<HTMLElement>('[data-text]')) {
    element.textContent = String(words[element.dataset['text'] ?? '']);
  }
}
