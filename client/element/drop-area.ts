import { type FoundFiles, readDrop } from './dropped-files.ts';

/**
 * Takes files that are dropped or pasted within `area`. Events that something inside has handled, such as a
 * second element of this kind, are left alone.
 *
 * @param take Gets what was found.
 * @param hover Called with whether files hover above the area.
 * @returns the function that ends it.
 */
export function listenForFiles(
  area: EventTarget,
  take: (found: FoundFiles) => void,
  hover: (isOver: boolean) => void,
): () => void {
  const listening = new AbortController();
  const { signal } = listening;
  const on = <K extends 'dragover' | 'dragleave' | 'drop' | 'paste'>(
    type: K,
    listener: (event: HTMLElementEventMap[K]) => void,
  ) => area.addEventListener(type, listener as EventListener, { signal });

  on('dragover', (event) => {
    const { dataTransfer } = event;
    // Text goes where it is dropped.
    if (event.defaultPrevented || !dataTransfer?.types?.includes('Files')) return;
    event.preventDefault();
    dataTransfer.dropEffect = 'copy';
    hover(true);
  });
  on('dragleave', ({ relatedTarget }) => {
    if (!(relatedTarget instanceof Node) || !(area as Node).contains(relatedTarget)) hover(false);
  });
  on('drop', (event) => {
    hover(false);
    const { dataTransfer } = event;
    if (event.defaultPrevented || !dataTransfer?.types?.includes('Files')) return;
    event.preventDefault();
    void readDrop(dataTransfer).then(take);
  });
  on('paste', (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (event.defaultPrevented || !files.length) return;
    event.preventDefault();
    take({ files });
  });
  return () => listening.abort();
}
