import { initialProgress } from './progress.ts';
import type { Uploader, UploadOptions, UploadPhase, UploadProgress, UploadResult } from './types.ts';
import type { UploadError } from './upload-error.ts';

/**
 * One upload of a list. Items are immutable: a change creates a new one.
 *
 * @example
 * ```ts
 * import type { UploadItem } from 'leadway-bff-client/store';
 *
 * const canRetry = ({ state, error }: UploadItem) =>
 *   state === 'cancelled' || (state === 'failed' && error?.retryable === true);
 * ```
 */
export interface UploadItem {
  /** Stays the same while the item is in the list. */
  readonly id: string;
  readonly file: File;
  readonly state: UploadPhase | 'failed' | 'cancelled';
  readonly progress: UploadProgress;
  readonly result?: UploadResult;
  /** Why it failed. */
  readonly error?: UploadError;
}

/**
 * The options of an upload in a list, which has its own `signal`.
 *
 * @example
 * ```ts
 * import type { ItemOptions } from 'leadway-bff-client/store';
 *
 * const to: ItemOptions = { conversationId: 'sandboxConversation01', contactId: 'sandboxContact01' };
 * ```
 */
export type ItemOptions = Omit<UploadOptions, 'signal'>;

/**
 * A list of uploads that views can subscribe to.
 *
 * @example
 * ```ts
 * import type { UploadStore } from 'leadway-bff-client/store';
 *
 * const left = (store: UploadStore) => store.getSnapshot().filter(({ state }) => state !== 'done').length;
 * ```
 */
export interface UploadStore {
  /** The current list: the same array until something changes. */
  getSnapshot(): readonly UploadItem[];
  /** Calls `listener` after every change; returns the function that unsubscribes. */
  subscribe(listener: () => void): () => void;
  /** Adds files to the list and uploads them. */
  add(files: File | Iterable<File>, options: ItemOptions): UploadItem[];
  /** Cancels an upload; it stays in the list as `cancelled`. */
  cancel(id: string): void;
  /** Uploads a failed or cancelled file again. */
  retry(id: string): void;
  /** Removes an upload from the list, and cancels it if it is in flight. */
  remove(id: string): void;
  /** Removes all uploads. */
  clear(): void;
}

interface Entry {
  readonly options: ItemOptions;
  item: UploadItem;
  abort: AbortController;
}

let lastId = 0;

/**
 * Creates a list of uploads for any kind of view.
 *
 * @example
 * ```ts
 * import { createUploader } from 'leadway-bff-client';
 * import { createUploadStore } from 'leadway-bff-client/store';
 *
 * const store = createUploadStore(createUploader());
 * const output = document.createElement('output');
 * store.subscribe(() => {
 *   output.textContent = store.getSnapshot().map(({ file, state }) => `${file.name}: ${state}`).join(', ');
 * });
 * store.add(new File(['Hello'], 'hello.txt'), {
 *   conversationId: 'sandboxConversation01',
 *   contactId: 'sandboxContact01',
 * });
 * ```
 */
export function createUploadStore(uploader: Pick<Uploader, 'upload'>): UploadStore {
  const entries = new Map<string, Entry>();
  const listeners = new Set<() => void>();
  let snapshot: readonly UploadItem[] = [];

  function publish(): void {
    snapshot = [...entries.values()].map(({ item }) => item);
    for (const listener of listeners) listener();
  }

  function start(entry: Entry): void {
    const abort = new AbortController();
    entry.abort = abort;
    const isCurrent = () => entry.abort === abort && entries.get(entry.item.id) === entry;
    const change = (item: UploadItem) => {
      if (!isCurrent()) return;
      entry.item = item;
      publish();
    };
    const { id, file } = entry.item;
    entry.item = { id, file, state: 'waiting', progress: initialProgress(file) };
    const onProgress = (progress: UploadProgress) => {
      entry.options.onProgress?.(progress);
      // `done` is published together with the result.
      if (progress.phase !== 'done') change({ id, file, state: progress.phase, progress });
      else if (isCurrent()) entry.item = { ...entry.item, progress };
    };
    uploader.upload(file, { ...entry.options, signal: abort.signal, onProgress }).then(
      (result) => change({ ...entry.item, state: 'done', result }),
      (error) => {
        if (abort.signal.aborted) change({ ...entry.item, state: 'cancelled' });
        else change({ ...entry.item, state: 'failed', error });
      },
    );
  }

  function discard(id: string): void {
    const entry = entries.get(id);
    entries.delete(id);
    entry?.abort.abort();
  }

  return {
    getSnapshot: () => snapshot,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    add(files, options) {
      const added = [...(files instanceof File ? [files] : files)].map((file) => {
        const id = `upload-${++lastId}`;
        const item: UploadItem = { id, file, state: 'waiting', progress: initialProgress(file) };
        const entry: Entry = { options, item, abort: new AbortController() };
        entries.set(id, entry);
        return entry;
      });
      for (const entry of added) start(entry);
      publish();
      return added.map(({ item }) => item);
    },
    cancel(id) {
      entries.get(id)?.abort.abort();
    },
    retry(id) {
      const entry = entries.get(id);
      if (entry?.item.state !== 'failed' && entry?.item.state !== 'cancelled') return;
      start(entry);
      publish();
    },
    remove(id) {
      discard(id);
      publish();
    },
    clear() {
      for (const id of [...entries.keys()]) discard(id);
      publish();
    },
  };
}
