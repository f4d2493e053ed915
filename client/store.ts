import { initialProgress } from './progress.ts';
import type {
  FileInput,
  Uploader,
  UploadOptions,
  UploadPhase,
  UploadProgress,
  UploadResult,
} from './types.ts';
import type { UploadError } from './upload-error.ts';

interface ItemBase {
  /** Stays the same while the item is in the list. */
  readonly id: string;
  readonly file: File;
  readonly progress: UploadProgress;
}

/**
 * One upload of a list. `state` says which of `result` and `error` it has. Items are immutable: a change creates a
 * new one.
 *
 * @example
 * ```ts
 * import type { UploadItem } from 'leadway-bff-client/store';
 *
 * function describe(item: UploadItem): string {
 *   if (item.state === 'done') return item.result.url;
 *   if (item.state === 'failed') return item.error.message;
 *   return item.progress.waitingMessage ?? item.state;
 * }
 * ```
 */
export type UploadItem =
  | (ItemBase & { readonly state: 'done'; readonly result: UploadResult; readonly error?: undefined })
  | (ItemBase & { readonly state: 'failed'; readonly error: UploadError; readonly result?: undefined })
  | (ItemBase & {
      readonly state: Exclude<UploadPhase, 'done'> | 'cancelled';
      readonly result?: undefined;
      readonly error?: undefined;
    });

/**
 * The progress of a whole list. Failed and cancelled files do not count for bytes.
 *
 * @example
 * ```ts
 * import type { StoreTotals } from 'leadway-bff-client/store';
 *
 * const toText = ({ doneFiles, files, waitingMessage }: StoreTotals) =>
 *   waitingMessage ?? `${doneFiles} of ${files} files`;
 * ```
 */
export interface StoreTotals {
  readonly files: number;
  readonly doneFiles: number;
  readonly failedFiles: number;
  /** Files that are neither done nor failed nor cancelled. */
  readonly activeFiles: number;
  readonly loadedBytes: number;
  readonly totalBytes: number;
  /** From 0 to 1. */
  readonly fraction: number;
  /** Of all files together. */
  readonly bytesPerSecond: number;
  /** Undefined until the speed has been measured. */
  readonly remainingMs: number | undefined;
  /** Why nothing moves, when all active files wait: one sentence for all of them. */
  readonly waitingMessage: string | undefined;
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
  /** The progress of the whole list: the same object until something changes. */
  getTotals(): StoreTotals;
  /** Adds files to the list and uploads them. */
  add(files: FileInput, options: ItemOptions): UploadItem[];
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
  let totals = totalsOf(snapshot);

  function publish(): void {
    snapshot = [...entries.values()].map(({ item }) => item);
    totals = totalsOf(snapshot);
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
    let last = initialProgress(file);
    entry.item = { id, file, state: 'waiting', progress: last };
    const onProgress = (progress: UploadProgress) => {
      entry.options.onProgress?.(progress);
      last = progress;
      // `done` is published together with the result.
      if (progress.phase !== 'done') change({ id, file, state: progress.phase, progress });
    };
    uploader.upload(file, { ...entry.options, signal: abort.signal, onProgress }).then(
      (result) => change({ id, file, state: 'done', progress: last, result }),
      (error) => {
        if (abort.signal.aborted) change({ id, file, state: 'cancelled', progress: last });
        else change({ id, file, state: 'failed', progress: last, error });
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
    getTotals: () => totals,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    add(files, options) {
      const added = (files instanceof File ? [files] : Array.from(files ?? [])).map((file) => {
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

/**
 * Says to the user why the channel may not deliver a file, before and after it is uploaded. Empty if nothing speaks
 * against it.
 *
 * @example
 * ```ts
 * import { deliveryWarning, type UploadItem } from 'leadway-bff-client/store';
 *
 * const toLine = (item: UploadItem) => `${item.file.name} ${deliveryWarning(item)}`;
 * ```
 */
export function deliveryWarning({ progress: { delivery } }: Pick<UploadItem, 'progress'>): string {
  const isBad = delivery?.verdict === 'warning' || delivery?.verdict === 'unlikely';
  return isBad ? delivery.reasons.map(({ message }) => message).join(' ') : '';
}

function totalsOf(items: readonly UploadItem[]): StoreTotals {
  const counted = items.filter(({ state }) => state !== 'failed' && state !== 'cancelled');
  const active = counted.filter(({ state }) => state !== 'done');
  const sum = (list: readonly UploadItem[], key: 'loadedBytes' | 'totalBytes' | 'bytesPerSecond') =>
    list.reduce((total, { progress }) => total + progress[key], 0);
  const loadedBytes = sum(counted, 'loadedBytes');
  const totalBytes = sum(counted, 'totalBytes');
  const bytesPerSecond = sum(active, 'bytesPerSecond');
  const waiting = active.filter(({ progress }) => progress.waitingMessage);
  // Files in the queue wait for those that wait for the server.
  const isWaiting = waiting.length > 0 && active.every(({ state }) => state === 'waiting');
  return {
    files: items.length,
    doneFiles: counted.length - active.length,
    failedFiles: items.filter(({ state }) => state === 'failed').length,
    activeFiles: active.length,
    loadedBytes,
    totalBytes,
    fraction: totalBytes ? loadedBytes / totalBytes : 0,
    bytesPerSecond,
    remainingMs: bytesPerSecond ? ((totalBytes - loadedBytes) / bytesPerSecond) * 1000 : undefined,
    waitingMessage: isWaiting ? waiting[0]?.progress.waitingMessage : undefined,
  };
}
