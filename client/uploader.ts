import { createConfigSource } from './config-source.ts';
import {
  type CheckOptions,
  checkFile,
  maxBytesFor,
  maxPictureBytesFor,
  predictDelivery,
} from './file-check.ts';
import { completeUpload, createFileUpload, TICKET_LOST, uploadedFile } from './file-upload.ts';
import { createErrorFactory } from './messages.ts';
import { createPendingUploads } from './pending-uploads.ts';
import { createProgressTracker, type ProgressTracker } from './progress.ts';
import { createQueue } from './queue.ts';
import { createSend, type IdempotencyKeys } from './request.ts';
import { type Hold, retry } from './retry.ts';
import type {
  ClientConfig,
  Delivery,
  FileInput,
  RecoveredUploads,
  SettledUpload,
  Uploader,
  UploaderOptions,
  UploadOptions,
  UploadResult,
} from './types.ts';
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
 *   for (const { url } of await uploader.upload(input.files, { ...ids, onProgress })) console.log(url);
 * });
 * ```
 */
export function createUploader(options: UploaderOptions = {}): Uploader {
  const { endpoint = '/api', concurrency = 3, prepare, confirmLeave = true } = options;
  const errors = createErrorFactory(options);
  const send = createSend(options, errors);
  const config = createConfigSource(send, errors);
  const deps = { errors, send, config, blockedUntil: new Map<string, number>() };
  const queue = createQueue(concurrency);
  const hold: Hold = { untilMs: 0, code: 'BUSY' };
  const pending = createPendingUploads(endpoint);
  /** The keys that a failed upload of a file has left, for the next one of the same file. */
  const keysLeft = new WeakMap<File, IdempotencyKeys>();
  let inFlight = 0;

  const warnBeforeLeaving = (event: Event) => event.preventDefault();

  /** Counts uploads in flight, which the page should not be left with. */
  function count(change: 1 | -1): void {
    inFlight += change;
    if (!confirmLeave || !globalThis.addEventListener) return;
    if (inFlight) addEventListener('beforeunload', warnBeforeLeaving);
    else removeEventListener('beforeunload', warnBeforeLeaving);
  }

  /** The error of a file, unless `prepare` can still change the file so that it is accepted. */
  function checkOriginal(file: File, checkOptions: CheckOptions, current: ClientConfig): UploadError | null {
    const error = checkFile(file, checkOptions, current, errors);
    const extension = /\.(\w+)$/.exec(file.name)?.[1]?.toLowerCase() ?? '';
    const isConverted = error?.is('TYPE_NOT_ALLOWED') && prepare?.converts?.includes(extension);
    return isConverted || (prepare && error?.is('FILE_TOO_LARGE')) ? null : error;
  }

  async function prepareFile(
    file: File,
    uploadOptions: UploadOptions,
    progress: ProgressTracker,
  ): Promise<File> {
    const { signal } = uploadOptions;
    if (!prepare) return file;
    progress.update({ phase: 'preparing' });
    try {
      const current = await config.read(signal);
      const extensions = current.types.flatMap((type) => type.extensions);
      const maxBytes = maxBytesFor(uploadOptions, current);
      const maxPictureBytes = maxPictureBytesFor(uploadOptions, current);
      const prepared = await prepare(file, { maxBytes, maxPictureBytes, extensions, signal });
      progress.update({ totalBytes: prepared.size });
      return prepared;
    } catch {
      signal?.throwIfAborted();
      return file;
    }
  }

  async function uploadOne(file: File, uploadOptions: UploadOptions): Promise<UploadResult> {
    const { signal, onProgress, conversationId, locationId } = uploadOptions;
    signal?.throwIfAborted();
    const progress = createProgressTracker(file, onProgress);
    progress.update({});
    count(1);
    let id: string | undefined;
    let isStored = false;
    const keys = keysLeft.get(file) ?? {};
    keysLeft.delete(file); // an upload of it at the same time is another one
    try {
      // A file that can't be accepted is rejected before it waits in the queue. Other failures are retried there.
      const current = await config.read(signal).catch((error) => {
        if (error instanceof UploadError && error.is('SERVER_NOT_FOUND')) throw error;
        return null;
      });
      const rejection = current && checkOriginal(file, uploadOptions, current);
      if (rejection && !rejection.is('FILE_TOO_LARGE')) throw rejection;
      const onDelivery = (delivery: Delivery | undefined) => {
        if (!delivery) return;
        progress.update({ delivery });
        if (!uploadOptions.onlyDeliverable || delivery.verdict !== 'unlikely') return;
        const message = delivery.reasons.map((reason) => reason.message).join(' ');
        const { reasons } = delivery;
        throw errors.toError('NOT_DELIVERABLE', { status: 422, details: { reasons } }, message);
      };
      const predict = (candidate: File) =>
        onDelivery(current ? predictDelivery(candidate, uploadOptions, current, errors) : undefined);
      if (!prepare) predict(file);
      const result = await queue.run(async () => {
        const entry = { name: file.name, size: file.size, conversationId, locationId };
        id = pending.put(entry);
        const prepared = await prepareFile(file, uploadOptions, progress);
        if (prepare) predict(prepared);
        const onStored = (ticket: string | undefined) => {
          isStored = ticket !== undefined;
          pending.put({ ...entry, ticket }, id);
        };
        const events = { onStored, onDelivery };
        const uploadFile = createFileUpload(prepared, uploadOptions, progress, deps, events, keys);
        return retry(uploadFile, { errors, file: prepared, signal, options, hold, progress });
      }, signal);
      isStored = false;
      return { ...result, file };
    } catch (error) {
      // What is in storage may be completed by the next load of the page.
      isStored &&= error instanceof UploadError && error.retryable;
      keysLeft.set(file, keys);
      throw error;
    } finally {
      if (id && !isStored) pending.remove(id);
      progress.stop();
      count(-1);
    }
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

  function uploadAll(files: FileInput, uploadOptions: UploadOptions): Promise<SettledUpload[]> {
    return Promise.all(toFiles(files).map((file) => settle(file, uploadOptions)));
  }

  async function uploadEach(files: FileInput, uploadOptions: UploadOptions): Promise<UploadResult[]> {
    const settled = await uploadAll(files, uploadOptions);
    if (!settled.length) throw errors.toError('NO_FILE');
    uploadOptions.signal?.throwIfAborted();
    return settled.map((upload) => {
      if (upload.status === 'rejected') throw upload.reason;
      return upload.value;
    });
  }

  function upload(file: File, uploadOptions: UploadOptions): Promise<UploadResult>;
  function upload(files: FileInput, uploadOptions: UploadOptions): Promise<UploadResult[]>;
  function upload(files: FileInput, uploadOptions: UploadOptions): Promise<UploadResult | UploadResult[]> {
    return files instanceof File ? uploadOne(files, uploadOptions) : uploadEach(files, uploadOptions);
  }

  function check(file: File, checkOptions?: CheckOptions): Promise<Delivery | undefined>;
  function check(files: FileInput, checkOptions?: CheckOptions): Promise<(UploadError | null)[]>;
  async function check(files: FileInput, checkOptions: CheckOptions = {}): Promise<never> {
    const current = await config.read();
    const results = toFiles(files).map((file) => checkOriginal(file, checkOptions, current));
    if (!(files instanceof File)) return results as never;
    if (results[0]) throw results[0];
    // What `prepare` turns a picture into is not known yet.
    const isPicture = prepare && files.type.startsWith('image/');
    return (isPicture ? undefined : predictDelivery(files, checkOptions, current, errors)) as never;
  }

  async function recover({
    conversationId,
    locationId,
    signal,
  }: Parameters<Uploader['recover']>[0]): Promise<RecoveredUploads> {
    const completed: RecoveredUploads['completed'][number][] = [];
    const interrupted: RecoveredUploads['interrupted'][number][] = [];
    for (const [id, { name, size, ticket }] of pending.left(conversationId, locationId)) {
      try {
        const uploaded = ticket && uploadedFile(await completeUpload(send, ticket, { keys: {}, signal }));
        if (uploaded) completed.push({ ...uploaded, mode: 'direct' });
        else if (!ticket) interrupted.push({ name, size });
      } catch (error) {
        signal?.throwIfAborted();
        // Lost tickets are dropped; what failed for now is tried again by the next load.
        if (!(error instanceof UploadError && (TICKET_LOST.includes(error.code) || !error.retryable)))
          continue;
      }
      pending.remove(id);
    }
    return { completed, interrupted };
  }

  return {
    upload,
    uploadAll,
    config: () => config.read(),
    async accept() {
      const { types } = await config.read();
      const extensions = [...types.flatMap((type) => type.extensions), ...(prepare?.converts ?? [])];
      return [...types.map(({ mimeTypes }) => mimeTypes[0]), ...extensions.map((name) => `.${name}`)].join();
    },
    check,
    recover,
    pause: queue.pause,
    resume: queue.resume,
  };
}

function toFiles(files: FileInput): File[] {
  return files instanceof File ? [files] : Array.from(files ?? []);
}
