import type { LeadwayUpload } from '../client/element/index.ts';
import { createDestination } from './destination.ts';
import { find, setText } from './elements.ts';
import { inEveryLanguage, language, setLanguage, texts, translate } from './language.ts';
import { createSamples } from './samples.ts';
import { createThemeSwitch } from './theme.ts';
import { createWirePanel } from './wire.ts';

const upload = find(document, '#upload', HTMLElement) as LeadwayUpload;
const languageButton = find(document, '#language', HTMLButtonElement);
const problem = find(document, '#samples-error', HTMLElement);

inEveryLanguage(() => {
  document.title = texts().title;
  translate(document);
  setText(languageButton, texts().otherLanguage);
  languageButton.lang = language() === 'es' ? 'en' : 'es';
});
languageButton.addEventListener('click', () => setLanguage(language() === 'es' ? 'en' : 'es'));
createThemeSwitch(find(document, '#theme', HTMLButtonElement));

const wire = createWirePanel();
const target = await findTarget();
upload.options = { onRequest: wire.record };
if (target) upload.setAttribute('endpoint', target.basePath);
// Only now: the element asks the server as soon as it is defined.
await import('../client/element/index.ts');
const destination = createDestination(upload);
createSamples(find(document, '#samples', HTMLUListElement), async (file, changes) => {
  setText(problem, '');
  try {
    upload.add(await file, changes);
  } catch {
    setText(problem, texts().noServer);
  }
});
document.documentElement.classList.remove('loading');
if (target) {
  // Where this fails, the element says why.
  const config = await upload.uploader.config().catch(() => ({ modes: ['auto' as const] }));
  destination.fill(target, config);
}

/** Finds the API, and a conversation and a contact that exist; null if the server is down. */
async function findTarget(): Promise<{ basePath: string; conversationId: string; contactId: string } | null> {
  const response = await fetch('demo.json').catch(() => null);
  return response?.ok ? await response.json() : null;
}
