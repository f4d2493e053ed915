import type { Uploader } from '../types.ts';
import type { UploadError } from '../upload-error.ts';
import { type TargetSource, targetOf } from './target.ts';

/** The error that FilePond passes to its labels and its `processfile` event. */
export interface FilePondFailure {
  readonly type: 'error';
  /** HTTP status; 0 when there was no response. */
  readonly code: number;
  /** The message for the user. */
  readonly body: string;
  readonly reason: UploadError;
}

/** The type of FilePond's `server.process`. */
export type FilePondProcess = (
  fieldName: string,
  file: Blob & { readonly name: string; readonly lastModified: number },
  metadata: Readonly<Record<string, unknown>>,
  load: (serverId: string) => void,
  error: (message: string) => void,
  progress: (isComputable: boolean, loadedBytes: number, totalBytes: number) => void,
  abort: () => void,
) => { abort(): void };

/** Options of FilePond that {@link filePondOptions} sets. */
export interface FilePondPreset {
  readonly server: {
    readonly process: FilePondProcess;
    readonly revert: null;
    readonly restore: null;
    readonly load: null;
    readonly fetch: null;
  };
  readonly maxParallelUploads: number;
  readonly allowMinimumUploadDuration: false;
  readonly labelFileProcessingError: (failure: { readonly body: string }) => string;
}

/**
 * Options with which FilePond uploads through `uploader`: every size that the channel accepts, the server's own
 * messages, cancelling. A file's `serverId` is its public URL. Undo only removes the file from the list, because
 * Leadway can't delete a hosted file.
 *
 * @example
 * ```ts
 * import * as FilePond from 'filepond';
 * import { createUploader } from 'leadway-bff-client';
 * import { filePondOptions } from 'leadway-bff-client/filepond';
 *
 * const ids = { conversationId: 'sandboxConversation01', contactId: 'sandboxContact01' };
 * const input = document.querySelector('input[type=file]');
 * FilePond.create(input, { ...filePondOptions(createUploader(), ids), allowMultiple: true });
 * ```
 */
export function filePondOptions(uploader: Pick<Uploader, 'upload'>, target: TargetSource): FilePondPreset {
  return {
    server: {
      process(_fieldName, blob, _metadata, load, error, progress, abort) {
        const cancelling = new AbortController();
        const { signal } = cancelling;
        // FilePond's types allow only strings; its own requests pass such objects.
        const fail = error as (failure: unknown) => void;
        // Plugins that transform images pass plain blobs with a name.
        const file = blob instanceof File ? blob : new File([blob], blob.name, { type: blob.type });
        const onProgress = ({ loadedBytes, totalBytes }: { loadedBytes: number; totalBytes: number }) =>
          progress(true, loadedBytes, totalBytes);
        uploader.upload(file, { ...targetOf(target, file), signal, onProgress }).then(
          ({ url }) => load(url),
          (reason: UploadError) => {
            if (!signal.aborted) fail({ type: 'error', code: reason.status, body: reason.message, reason });
          },
        );
        return {
          abort() {
            cancelling.abort();
            abort();
          },
        };
      },
      revert: null,
      restore: null,
      load: null,
      fetch: null,
    },
    maxParallelUploads: 8, // the uploader has its own queue
    allowMinimumUploadDuration: false, // it would show every small file for a second
    labelFileProcessingError: ({ body }) => body,
  };
}
