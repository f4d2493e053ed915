import type { UploadOptions } from '../types.ts';

/** The conversation that files are for. */
export type UploadTarget = Pick<
  UploadOptions,
  'conversationId' | 'contactId' | 'locationId' | 'channel' | 'mode'
>;

/** One target for all files, or a function that is called when the upload of a file starts. */
export type TargetSource = UploadTarget | ((file: File) => UploadTarget);

/** Returns the target of one file. */
export function targetOf(source: TargetSource, file: File): UploadTarget {
  return typeof source === 'function' ? source(file) : source;
}
