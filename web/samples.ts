import type { ItemOptions } from '../client/store.ts';
import { cloneTemplate, find, setIcon, setText } from './elements.ts';
import { FAULTS, toFaultConversation } from './faults.ts';
import { inEveryLanguage, texts } from './language.ts';
import type { Texts } from './texts/english.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

/** How one sample differs from what the form says. */
type Changes = Partial<ItemOptions>;

interface Sample {
  readonly icon: string;
  file(): File | Promise<File>;
  changes?(): Changes;
}

const SAMPLES: Readonly<Record<keyof Texts['sampleOf'], Sample>> = {
  picture: { icon: 'picture', file: makePicture },
  film: {
    icon: 'film',
    file: () => makeFilm('beach.mp4', 12 * MIB),
    changes: () => ({ channel: 'WHATSAPP', mode: 'auto' }),
  },
  impostor: { icon: 'mask', file: makeImpostor, changes: () => ({ mode: 'forward' }) },
  tooMany: {
    icon: 'wait',
    file: () => makeText('notes.txt'),
    changes: () => ({
      conversationId: toFaultConversation(FAULTS.tooMany.name),
      channel: 'WHATSAPP',
      mode: 'forward',
    }),
  },
  expired: {
    icon: 'retry',
    file: () => makeFilm('party.mp4', MIB),
    changes: () => ({
      conversationId: toFaultConversation(FAULTS.expired.name),
      channel: 'WHATSAPP',
      mode: 'direct',
    }),
  },
  slow: {
    icon: 'slow',
    // The first megabytes go into the buffers of the system at once.
    file: () => makeFilm('walk.mp4', 10 * MIB),
    changes: () => ({
      conversationId: toFaultConversation('storage-slow-body'),
      channel: 'WHATSAPP',
      mode: 'direct',
    }),
  },
};

/** Offers files to visitors without one at hand; `send` gets the file and how it differs from what the form says. */
export function createSamples(
  list: HTMLElement,
  send: (file: File | Promise<File>, changes: Changes) => void,
): void {
  const shown = Object.entries(SAMPLES).map(([key, sample]) => {
    const item = cloneTemplate('sample');
    const button = find(item, 'button', HTMLButtonElement);
    setIcon(find(button, 'svg', SVGSVGElement), sample.icon);
    button.dataset['sample'] = key;
    button.addEventListener('click', () => send(sample.file(), sample.changes?.() ?? {}));
    list.append(item);
    return { button, key: key as keyof Texts['sampleOf'] };
  });
  inEveryLanguage(() => {
    for (const { button, key } of shown) {
      const [name, outcome] = texts().sampleOf[key];
      setText(find(button, '.sample-name', HTMLElement), name ?? '');
      setText(find(button, '.sample-outcome', HTMLElement), outcome ?? '');
    }
  });
}

async function makePicture(): Promise<File> {
  const response = await fetch('sample.png');
  if (!response.ok) throw new Error(`sample.png: ${response.status}`);
  return new File([await response.blob()], 'sample.png', { type: 'image/png' });
}

function makeText(name: string): File {
  return new File(['Milk, bread, stamps.\n'], name, { type: 'text/plain' });
}

/** An MP4 by its leading bytes; no player could show it. */
function makeFilm(name: string, bytes: number): File {
  const head = new TextEncoder().encode('\0\0\0\x18ftypisom\0\0\x02\0isomiso2mp41');
  return new File([head, new Uint8Array(bytes - head.length)], name, { type: 'video/mp4' });
}

/** A Windows program by its content, a PDF by its name. */
function makeImpostor(): File {
  return new File(['MZ', new Uint8Array(64 * KIB)], 'invoice.pdf', { type: 'application/pdf' });
}
