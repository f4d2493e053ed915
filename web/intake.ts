import { type FoundFiles, readDrop, readFolder } from '../client/element/dropped-files.ts';
import { find } from './elements.ts';

/** Hands every file that comes into the page to `take`: chosen, dropped anywhere on it, or pasted. */
export function createIntake(take: (found: FoundFiles) => void): void {
  listenToPicker('#files', (files) => take({ files: [...files] }));
  listenToPicker('#folder', (files) => take(readFolder(files)));
  listenToDrops(take);
  document.addEventListener('paste', ({ clipboardData }) => {
    const files = [...(clipboardData?.files ?? [])];
    if (files.length > 0) take({ files });
  });
}

function listenToPicker(selector: string, take: (files: FileList) => void): void {
  const input = find(document, selector, HTMLInputElement);
  input.addEventListener('change', () => {
    if (input.files !== null) take(input.files);
    input.value = ''; // the same file may be chosen again
  });
}

/** The whole window takes drops: a file that misses a frame must not replace the page. */
function listenToDrops(take: (found: FoundFiles) => void): void {
  const landing = find(document, '#landing', HTMLElement);
  const show = (isOver: boolean): void => {
    landing.classList.toggle('over', isOver);
  };
  addEventListener('dragover', (event) => {
    const { dataTransfer } = event;
    if (dataTransfer === null || !dataTransfer.types.includes('Files')) return; // text goes where it is let go
    event.preventDefault();
    dataTransfer.dropEffect = 'copy';
    show(true);
  });
  addEventListener('dragleave', (event) => {
    if (event.relatedTarget === null) show(false);
  });
  addEventListener('drop', (event) => {
    show(false);
    const { dataTransfer } = event;
    if (dataTransfer === null || !dataTransfer.types.includes('Files')) return;
    event.preventDefault();
    void readDrop(dataTransfer).then(take);
  });
}
