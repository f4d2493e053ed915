import { createErrorMaker } from './messages.ts';
import { createSend } from './request.ts';
import type { ClientConfig, Uploader, UploaderOptions, UploadOptions, UploadResult } from './types.ts';

/**
 * Makes an uploader.
 *
 * @example
 * ```ts
 * import { createUploader } from 'leadway-bff/client';
 *
 * const uploader = createUploader({ endpoint: '/api' });
 * const file = new File(['Hello'], 'hello.txt');
 * const ids = { conversationId: 'sandboxConversation01', contactId: 'sandboxContact01' };
 * const { url } = await uploader.upload(file, ids);
 * ```
 */
export function createUploader(options: UploaderOptions = {}): Uploader {
  const maker = createErrorMaker(options);
  const send = createSend(options, maker);

  async function one(file: File, given: UploadOptions): Promise<UploadResult> {
    const { conversationId, contactId, locationId, channel, mode = 'forward', signal, onProgress } = given;
    const form = new FormData();
    const fields = { conversationId, contactId, locationId, channel, fileSize: String(file.size) };
    for (const [name, value] of Object.entries(fields)) if (value) form.append(name, value);
    form.append('fileAttachment', file, file.name);
    const report = (phase: 'waiting' | 'checking' | 'uploading' | 'confirming' | 'done', fraction: number) =>
      onProgress?.({
        file,
        phase,
        mode: 'forward',
        loadedBytes: Math.round(file.size * fraction),
        totalBytes: file.size,
        fraction,
        bytesPerSecond: 0,
        remainingMs: undefined,
        attempt: 1,
      });
    report('uploading', 0);
    const answer = (await send({
      method: 'POST',
      path: `/messages/upload?mode=${mode}`,
      body: form,
      file,
      signal,
      onSent: (fraction) => report(fraction === 1 ? 'confirming' : 'uploading', fraction),
    })) as { mode: 'forward'; uploadedFiles: Record<string, string> };
    report('done', 1);
    const [name = '', url = ''] = Object.entries(answer.uploadedFiles)[0] ?? [];
    return { file, name, url, mode: answer.mode };
  }

  return {
    upload: ((files: File | Iterable<File>, given: UploadOptions) =>
      files instanceof File
        ? one(files, given)
        : Promise.all([...files].map((file) => one(file, given)))) as Uploader['upload'],
    uploadAll: (files, given) =>
      Promise.all(
        [...files].map((file) =>
          one(file, given).then(
            (value) => ({ status: 'fulfilled' as const, value }),
            (reason) => ({ status: 'rejected' as const, file, reason }),
          ),
        ),
      ),
    config: async () => (await send({ method: 'GET', path: '/config' })) as ClientConfig,
    check: async () => {},
    pause() {},
    resume() {},
  };
}
