import { createConfigSource } from './config-source.ts';
import { checkFile } from './file-check.ts';
import { createFileUpload } from './file-upload.ts';
import { createErrorFactory } from './messages.ts';
import { createProgressTracker } from './progress.ts';
import { createQueue } from './queue.ts';
import { createSend } from './request.ts';
import { type Hold, retry } from './retry.ts';
import type { SettledUpload, Uploader, UploaderOptions, UploadOptions, UploadResult } from './types.ts';
import { UploadError } from './upload-error.ts';

/**
 * Creates an uploader: one queue, and one memory of what the server accepts and which modes fail here.
 *
 * @example
 * ```ts
 * import { createUploader } from 'leadway-bff-client';
 *
 * const uploader = createUploader({ endpoint: '/api' });
 * const input = document.querySelector<HTMLInputElement>('input[type=file]');
 * input?.addEventListener('change', async () => {
 *   const ids = { conversationId: 'sandboxConversation01', contactId: 'sandboxContact01' };
 *   const onProgress = ({ fraction }: { fraction: number }) => console.log(`${Math.round(fraction * 100)} %`);
 *   for (const { url } of await uploader.upload(input.files ?? [], { ...ids, onProgress })) console.log(url);
 * });
 * ```
 */
export function createUploader(options: UploaderOptions = {}): Uploader {
  const errors = createErrorFactory(options);
  const send = createSend(options, errors);
  const config = createConfigSource(send);
  const deps = { errors, send, config, blockedUntil: new Map<string, number>() };
  const queue = createQueue(options.concurrency ?? 3);
  const hold: Hold = { untilMs: 0, code: 'BUSY' };

  async function uploadOne(file: File, uploadOptions: UploadOptions): Promise<UploadResult> {
    const { signal, onProgress } = uploadOptions;
    signal?.throwIfAborted();
    const progress = createProgressTracker(file, onProgress);
    progress.update({});
    // A file that can't be accepted is rejected before it waits in the queue. Other failures are retried there.
    const current = await config.read(signal).catch(() => null);
    const rejection = current && checkFile(file, uploadOptions, current, errors);
    if (rejection && rejection.code !== 'FILE_TOO_LARGE') throw rejection;
    const uploadFile = createFileUpload(file, uploadOptions, progress, deps);
    return queue.run(() => retry(uploadFile, { errors, file, signal, options, hold, progress }), signal);
  }

  async function settle(file: File, uploadOptions: UploadOptions): Promise<SettledUpload> {
    try {
      return { status: 'fulfilled', value: await uploadOne(file, uploadOptions) };
    } catch (error) {
      if (error instanceof UploadError) return { status: 'rejected', file, reason: error };
      if (!uploadOptions.signal?.aborted) throw error;
      const reason = errors.toError('ABORTED', { cause: error }, String(error));
      return { status: 'rejected', file, reason };
    }
  }

  function uploadAll(files: Iterable<File>, uploadOptions: UploadOptions): Promise<SettledUpload[]> {
    return Promise.all([...files].map((file) => settle(file, uploadOptions)));
  }

  async function uploadEach(files: Iterable<File>, uploadOptions: UploadOptions): Promise<UploadResult[]> {
    const settled = await uploadAll(files, uploadOptions);
    if (!settled.length) throw errors.toError('NO_FILE');
    uploadOptions.signal?.throwIfAborted();
    return settled.map((upload) => {
      if (upload.status === 'rejected') throw upload.reason;
      return upload.value;
    });
  }

  function upload(file: File, uploadOptions: UploadOptions): Promise<UploadResult>;
  function upload(files: Iterable<File>, uploadOptions: UploadOptions): Promise<UploadResult[]>;
  function upload(
    files: File | Iterable<File>,
    uploadOptions: UploadOptions,
  ): Promise<UploadResult | UploadResult[]> {
    return files instanceof File ? uploadOne(files, uploadOptions) : uploadEach(files, uploadOptions);
  }

  return {
    upload,
    uploadAll,
    config: () => config.read(),
    async check(given, checkOptions = {}) {
      const current = await config.read();
      const files = given instanceof File ? [given] : [...given];
      if (!files.length) throw errors.toError('NO_FILE');
      const max = current.maxFiles;
      if (files.length > max) throw errors.toError('TOO_MANY_FILES', { details: { max } });
      for (const file of files) {
        const rejection = checkFile(file, checkOptions, current, errors);
        if (rejection) throw rejection;
      }
    },
    pause: queue.pause,
    resume: queue.resume,
  };
}
