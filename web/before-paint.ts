// A classic script: it runs before the first paint, so that the other theme or language does not flash up.
{
  const root = document.documentElement;
  const recall = (key: string): string | null => {
    try {
      return localStorage.getItem(key);
    } catch {
      return null; // a browser that lets pages remember nothing
    }
  };
  const theme = recall('theme');
  const language = recall('language') ?? navigator.language.slice(0, 2).toLowerCase();
  if (theme !== null) root.dataset['theme'] = theme;
  root.lang = language === 'es' ? 'es' : 'en';
  root.classList.add('loading'); // main.ts removes it; the style sheet does not wait for it forever
}
