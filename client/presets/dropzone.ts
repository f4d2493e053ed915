import type { Uploader } from '../types.ts';
import { type TargetSource, targetOf } from './target.ts';

/** A file as Dropzone keeps it. */
export interface DropzoneFileLike extends File {
  status: string;
  /** What Dropzone aborts when the file is cancelled. */
  xhr?: unknown;
}

/** What the preset uses of a Dropzone. */
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
 * Options with which Dropzone uploads through `uploader`: any size that the channel takes, the server's own
 * words as the error, cancelling. Listeners of `success` get the file and `{ url, name, mode }`, those of `error`
 * the file, the message and the UploadError.
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
    url: '#', // Dropzone insists on one; the uploader knows the real ones
    parallelUploads: 8, // the uploader has the queue
    maxFilesize: 0, // none of its own: the uploader knows the server's limits
    init() {
      const { emit } = this;
      this.emit = (event, ...args) => {
        // Dropzone calls an upload failed whose preview it can't draw, and puts that in place of our message.
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
    const end = (status: string, ...outcome: unknown[]) => {
      file.status = status;
      dropzone.emit(status, file, ...outcome);
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
