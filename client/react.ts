'use client';

import { useEffect, useState, useSyncExternalStore } from 'react';
import { createUploadStore, type StoreTotals, type UploadItem, type UploadStore } from './store.ts';
import type { Uploader, UploaderOptions } from './types.ts';
import { createUploader } from './uploader.ts';

/**
 * The list of uploads and the functions that change it; returned by {@link useUploads}. The functions stay the
 * same from render to render.
 *
 * @example
 * ```ts
 * import type { Uploads } from 'leadway-bff-client/react';
 *
 * const isIdle = ({ items }: Uploads) => items.every(({ state }) => state === 'done');
 * ```
 */
export interface Uploads extends Omit<UploadStore, 'getSnapshot' | 'getTotals' | 'subscribe'> {
  readonly items: readonly UploadItem[];
  /** The progress of the whole list. */
  readonly totals: StoreTotals;
}

/**
 * A list of uploads for a component. The first argument is kept for its lifetime: options or an uploader, whose
 * list ends with the component (uploads in flight are cancelled), or a store, which outlives the component.
 *
 * @example
 * ```tsx
 * import { createUploader } from 'leadway-bff-client';
 * import { useUploads } from 'leadway-bff-client/react';
 *
 * const uploader = createUploader();
 * const ids = { conversationId: 'sandboxConversation01', contactId: 'sandboxContact01' };
 *
 * export function Attachments() {
 *   const { items, add, cancel } = useUploads(uploader);
 *   return (
 *     <>
 *       <input type="file" multiple onChange={({ target }) => add(target.files, ids)} />
 *       {items.map(({ id, file, state, progress, result, error }) => (
 *         <p key={id}>
 *           {result ? <a href={result.url}>{file.name}</a> : file.name}{' '}
 *           {error ? error.message : `${state}, ${Math.round(progress.fraction * 100)} %`}{' '}
 *           <button type="button" onClick={() => cancel(id)}>Cancel</button>
 *         </p>
 *       ))}
 *     </>
 *   );
 * }
 * ```
 */
export function useUploads(source: UploadStore | Uploader | UploaderOptions = {}): Uploads {
  const [{ store, isOwn }] = useState(() => toStore(source));
  const items = useSyncExternalStore(store.subscribe, store.getSnapshot, store.getSnapshot);
  useEffect(() => (isOwn ? store.clear : undefined), [store, isOwn]);
  const { add, cancel, retry, remove, clear } = store;
  return { items, totals: store.getTotals(), add, cancel, retry, remove, clear };
}

function toStore(source: UploadStore | Uploader | UploaderOptions): { store: UploadStore; isOwn: boolean } {
  if ('getSnapshot' in source) return { store: source, isOwn: false };
  const uploader = 'upload' in source ? source : createUploader(source);
  return { store: createUploadStore(uploader), isOwn: true };
}
