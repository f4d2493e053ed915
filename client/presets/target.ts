import type { UploadOptions } from '../types.ts';

/** Which conversation files are for. */
export type UploadTarget = Pick<
  UploadOptions,
  'conversationId' | 'contactId' | 'locationId' | 'channel' | 'mode'
>;

/** One target for all files, or a function that is asked when the upload of a file begins. */
export type TargetSource = UploadTarget | ((file: File) => UploadTarget);

/** The target of one file. */
export function targetOf(source: TargetSource, file: File): UploadTarget {
  return typeof source === 'function' ? source(file) : source;
}
