import type { Uploader } from '../types.ts';
import { type TargetSource, targetOf } from './target.ts';

/** Dropzone's file. */
export interface DropzoneFileLike extends File {
  status: string;
  /** Dropzone aborts this when the file is cancelled. */
  xhr?: unknown;
}

/** The members of Dropzone that the preset uses. */
export interface DropzoneLike {
  readonly options: { readonly dictThumbnailError?: unknown };
  uploadFiles(files: DropzoneFileLike[]): unknown;
  processQueue(): unknown;
  emit(event: string, ...args: unknown[]): unknown;
}

/** Options of Dropzone that {@link dropzoneOptions} sets. */
export interface DropzonePreset {
  readonly url: string;
  readonly parallelUploads: number;
  readonly maxFilesize: number;
  readonly init: (this: DropzoneLike) => void;
}

/**
 * Options with which Dropzone uploads through `uploader`: every size that the channel accepts, the server's own
 * messages, cancelling. `success` listeners get the file and `{ url, name, mode }`, `error` listeners the file, the
 * message and the UploadError.
 *
 * @example
 * ```ts
 * import Dropzone from 'dropzone';
 * import { createUploader } from 'leadway-bff-client';
 * import { dropzoneOptions } from 'leadway-bff-client/dropzone';
 *
 * const ids = { conversationId: 'sandboxConversation01', contactId: 'sandboxContact01' };
 * const dropzone = new Dropzone('#drop', dropzoneOptions(createUploader(), ids));
 * dropzone.on('success', (file, { url }) => console.log(file.name, url));
 * ```
 */
export function dropzoneOptions(uploader: Pick<Uploader, 'upload'>, target: TargetSource): DropzonePreset {
  return {
    url: '#', // required by Dropzone and not used
    parallelUploads: 8, // the uploader has its own queue
    maxFilesize: 0, // the uploader checks the server's limits
    init() {
      const { emit } = this;
      this.emit = (event, ...args) => {
        // Dropzone reports a preview that it can't draw as a failed upload.
        const isPreview = event === 'error' && args[1] === this.options.dictThumbnailError;
        return isPreview ? this : emit.call(this, event, ...args);
      };
      this.uploadFiles = (files) => {
        for (const file of files) void upload(this, file);
      };
    },
  };

  async function upload(dropzone: DropzoneLike, file: DropzoneFileLike): Promise<void> {
    const cancelling = new AbortController();
    const { signal } = cancelling;
    file.xhr = { abort: () => cancelling.abort() };
    const onProgress = ({ fraction, loadedBytes }: { fraction: number; loadedBytes: number }) =>
      dropzone.emit('uploadprogress', file, fraction * 100, loadedBytes);
    const end = (status: string, ...result: unknown[]) => {
      file.status = status;
      dropzone.emit(status, file, ...result);
      dropzone.emit('complete', file);
      dropzone.processQueue();
    };
    const options = { ...targetOf(target, file), signal, onProgress };
    await uploader.upload(file, options).then(
      (result) => end('success', result),
      (reason: Error) => {
        if (!signal.aborted) end('error', reason.message, reason);
      },
    );
  }
}
