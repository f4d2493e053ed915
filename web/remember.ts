/** Keeps a choice for the next visit, where the browser lets pages keep something; `before-paint.ts` reads it. */
export function remember(key: 'theme' | 'language', value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // Then it holds for this visit.
  }
}
