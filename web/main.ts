import { type ClientConfig, createUploader, type UploadOptions } from '../client/index.ts';
import { createUploadStore } from '../client/store.ts';
import { createDestination } from './destination.ts';
import { find, setText } from './elements.ts';
import { createFileList, say } from './file-list.ts';
import { formatBytes } from './formats.ts';
import { createIntake } from './intake.ts';
import { inEveryLanguage, language, setLanguage, texts, translate } from './language.ts';
import { createSamples } from './samples.ts';
import { createThemeSwitch } from './theme.ts';
import { createWirePanel } from './wire.ts';

const languageButton = find(document, '#language', HTMLButtonElement);
const limits = find(document, '#limits', HTMLElement);

inEveryLanguage(() => {
  document.title = texts().title;
  translate(document);
  setText(languageButton, texts().otherLanguage);
  languageButton.lang = language() === 'es' ? 'en' : 'es';
});
languageButton.addEventListener('click', () => setLanguage(language() === 'es' ? 'en' : 'es'));
createThemeSwitch(find(document, '#theme', HTMLButtonElement));

const destination = createDestination();
const wire = createWirePanel();
const ready = connect();
const send = async (
  files: readonly (File | Promise<File>)[],
  changes: Partial<UploadOptions> = {},
): Promise<void> => {
  try {
    const { store } = await ready;
    // One by one: a fault that happens once needs a conversation for each file.
    for (const file of files) store.add([await file], { ...destination.options(), ...changes });
    say(texts().saidAdded(files.length));
  } catch {
    say(texts().noServer);
  }
};
createSamples(find(document, '#samples', HTMLUListElement), (file, changes) => void send([file], changes));
createIntake(async ({ files, cutAt }) => {
  await send(files);
  if (cutAt !== undefined) say(texts().folderCut(cutAt));
});
document.documentElement.classList.remove('loading');

ready.then(
  ({ store, uploader, config }) => {
    createFileList(store, uploader);
    destination.onChange(() => showLimits(config));
    inEveryLanguage(() => showLimits(config));
  },
  () => {
    limits.classList.add('error');
    inEveryLanguage(() => setText(limits, texts().noServer));
  },
);

/** Finds the API, a conversation and a contact that exist, and what the server takes. */
async function connect() {
  const answer = await fetch('demo.json');
  if (!answer.ok) throw new Error(`demo.json: ${answer.status}`);
  const target: { basePath: string; conversationId: string; contactId: string } = await answer.json();
  const uploader = createUploader({ endpoint: target.basePath, onRequest: wire.record });
  const config = await uploader.config();
  destination.fill(target, config);
  return { uploader, config, store: createUploadStore(uploader) };
}

function showLimits({ limits: { forwardMaxBytes, directMaxBytes }, modes, types }: ClientConfig): void {
  const { channel } = destination.options();
  const direct = modes.includes('direct') ? (directMaxBytes[channel] ?? directMaxBytes.default) : 0;
  const extensions = types.flatMap((type) => type.extensions).map((extension) => extension.toUpperCase());
  setText(limits, texts().limits(formatBytes(Math.max(forwardMaxBytes, direct)), extensions.join(' ')));
}
