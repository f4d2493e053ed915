import type { StoreTotals, UploadItem } from '../store.ts';
import type { UploadResult } from '../types.ts';
import type { UploadError } from '../upload-error.ts';

/**
 * The events of the element; they bubble. `change` and `input` come when `value` has changed.
 *
 * @example
 * ```ts
 * import type { LeadwayUploadEventMap } from 'leadway-bff-client/element';
 *
 * const log = ({ detail }: LeadwayUploadEventMap['upload-error']) => console.warn(detail.item.error?.code);
 * document.querySelector('leadway-upload')!.addEventListener('upload-error', log);
 * ```
 */
export interface LeadwayUploadEventMap {
  /** Files have come into the list. */
  'upload-add': CustomEvent<{ readonly items: readonly UploadItem[] }>;
  'upload-progress': CustomEvent<StoreTotals>;
  'upload-done': CustomEvent<{ readonly item: UploadItem; readonly result: UploadResult }>;
  'upload-error': CustomEvent<{ readonly item: UploadItem; readonly error: UploadError }>;
  /** No upload is in flight; `results` are those of the files in the list that have arrived. */
  'upload-end': CustomEvent<{ readonly results: readonly UploadResult[] }>;
}
