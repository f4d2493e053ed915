import { inEveryLanguage, texts } from './language.ts';
import { remember } from './remember.ts';

const prefersDark = matchMedia('(prefers-color-scheme: dark)');

/** Lets `button` switch between light and dark. Until it is used, the page follows the system. */
export function createThemeSwitch(button: HTMLButtonElement): void {
  const root = document.documentElement;
  const isDark = (): boolean =>
    (root.dataset['theme'] ?? (prefersDark.matches ? 'dark' : 'light')) === 'dark';
  const show = (): void => {
    button.ariaPressed = String(isDark());
    button.ariaLabel = texts().darkTheme;
    button.title = texts().darkTheme;
  };
  button.addEventListener('click', () => {
    const next = isDark() ? 'light' : 'dark';
    root.dataset['theme'] = next;
    remember('theme', next);
    show();
  });
  prefersDark.addEventListener('change', show);
  inEveryLanguage(show);
}
