import { refusalOf } from './acceptance.ts';
import { createConfigSource } from './config-source.ts';
import { createErrorMaker } from './messages.ts';
import { type Hold, persist } from './persist.ts';
import { createReporter } from './progress.ts';
import { createQueue } from './queue.ts';
import { createSend } from './request.ts';
import { createTransfer } from './transfer.ts';
import type { SettledUpload, Uploader, UploaderOptions, UploadOptions, UploadResult } from './types.ts';
import { UploadError } from './upload-error.ts';

/**
 * Makes an uploader: one queue, one memory of what the server takes and of what does not work here.
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
  const errors = createErrorMaker(options);
  const send = createSend(options, errors);
  const config = createConfigSource(send);
  const around = { ...errors, send, config, detours: new Map<string, number>() };
  const queue = createQueue(options.concurrency ?? 3);
  const hold: Hold = { untilMs: 0, code: 'BUSY' };

  async function uploadOne(file: File, given: UploadOptions): Promise<UploadResult> {
    const { signal, onProgress } = given;
    signal?.throwIfAborted();
    const report = createReporter(file, onProgress);
    report.note({});
    // Nobody has to wait in the queue to hear that a file is not taken; what else fails here is tried again there.
    const known = await config.read(signal).catch(() => null);
    const refusal = known && refusalOf(file, given, known, errors);
    if (refusal && refusal.code !== 'FILE_TOO_LARGE') throw refusal;
    const transfer = createTransfer(file, given, report, around);
    return queue.run(() => persist(transfer, { ...errors, file, signal, options, hold, report }), signal);
  }

  async function settle(file: File, given: UploadOptions): Promise<SettledUpload> {
    try {
      return { status: 'fulfilled', value: await uploadOne(file, given) };
    } catch (error) {
      if (error instanceof UploadError) return { status: 'rejected', file, reason: error };
      if (!given.signal?.aborted) throw error;
      const reason = errors.toError('ABORTED', { cause: error }, String(error));
      return { status: 'rejected', file, reason };
    }
  }

  function uploadAll(files: Iterable<File>, given: UploadOptions): Promise<SettledUpload[]> {
    return Promise.all([...files].map((file) => settle(file, given)));
  }

  async function uploadEach(files: Iterable<File>, given: UploadOptions): Promise<UploadResult[]> {
    const ends = await uploadAll(files, given);
    if (!ends.length) throw errors.toError('NO_FILE');
    given.signal?.throwIfAborted();
    return ends.map((end) => {
      if (end.status === 'rejected') throw end.reason;
      return end.value;
    });
  }

  function upload(file: File, given: UploadOptions): Promise<UploadResult>;
  function upload(files: Iterable<File>, given: UploadOptions): Promise<UploadResult[]>;
  function upload(what: File | Iterable<File>, given: UploadOptions): Promise<UploadResult | UploadResult[]> {
    return what instanceof File ? uploadOne(what, given) : uploadEach(what, given);
  }

  return {
    upload,
    uploadAll,
    config: () => config.read(),
    async check(what, wish = {}) {
      const known = await config.read();
      const files = what instanceof File ? [what] : [...what];
      if (!files.length) throw errors.toError('NO_FILE');
      const max = known.maxFiles;
      if (files.length > max) throw errors.toError('TOO_MANY_FILES', { details: { max } });
      for (const file of files) {
        const refusal = refusalOf(file, wish, known, errors);
        if (refusal) throw refusal;
      }
    },
    pause: queue.pause,
    resume: queue.resume,
  };
}
