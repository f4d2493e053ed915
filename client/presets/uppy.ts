import type { ClientConfig } from '../types.ts';
import { createServerCalls, type Grant, type ServerOptions, setHeaders, urlOf } from './server-calls.ts';

/** Enough for the server to recognise the type of a file. */
const HEAD_BYTES = 64 * 1024;
/** A server that wants to be left alone for longer gets no further attempt from here. */
const MAX_WAIT_MS = 60_000;
const MAX_RETRIES = 3; // Uppy's own number
const FIELDS = ['conversationId', 'contactId', 'locationId', 'channel'];

/** A file as Uppy keeps it, as far as the preset reads it. */
export interface UppyFileLike {
  readonly id: string;
  readonly type: string;
  readonly data: unknown;
  readonly meta: object;
}

/** What the preset uses of an Uppy. */
export interface UppyLike {
  addPreProcessor(prepare: (fileIds: string[]) => Promise<void>): void;
  getFile(id: string): UppyFileLike | undefined;
  setFileMeta(id: string, meta: Record<string, unknown>): void;
  setFileState(id: string, state: Record<string, unknown>): void;
  emit(event: 'upload-error', file: UppyFileLike | undefined, error: Error): void;
}

/** Options of Uppy's XHRUpload that {@link xhrUploadOptions} sets. */
export interface XhrUploadPreset {
  readonly endpoint: (file: UppyFileLike | UppyFileLike[]) => Promise<string>;
  readonly fieldName: string;
  readonly bundle: false;
  readonly onBeforeRequest: (
    xhr: XMLHttpRequest,
    retryCount: number,
    files: readonly UppyFileLike[],
  ) => Promise<void>;
  readonly onAfterResponse: (xhr: XMLHttpRequest, retryCount: number) => Promise<void>;
  readonly shouldRetry: (xhr: XMLHttpRequest) => boolean;
  readonly getResponseData: (xhr: XMLHttpRequest) => Promise<{ url: string }>;
}

/**
 * Options with which Uppy's XHRUpload uploads to the server: each file by its own request, forwarded where it
 * is small enough and put straight into storage where it is not, through the server where storage can't be
 * reached. What the server refuses is shown in its own words and not tried again; where it says when to come
 * back, the upload waits. `uploadURL` is the file's public URL.
 *
 * The fields of the upload are Uppy's metadata: `conversationId`, `contactId`, and `locationId` and `channel`
 * where they are needed.
 *
 * @example
 * ```ts
 * import Uppy from '@uppy/core';
 * import XHRUpload from '@uppy/xhr-upload';
 * import { xhrUploadOptions } from 'leadway-bff-client/uppy';
 *
 * const meta = { conversationId: 'sandboxConversation01', contactId: 'sandboxContact01' };
 * const uppy = new Uppy<typeof meta, { url: string }>({ meta });
 * uppy.use(XHRUpload, xhrUploadOptions(uppy, { endpoint: '/api' }));
 * ```
 */
export function xhrUploadOptions(uppy: UppyLike, options: ServerOptions = {}): XhrUploadPreset {
  const server = createServerCalls(options);
  const grants = new Map<string, Grant>();
  let forwardPath = '/messages/upload?mode=forward';
  const fileIds = new WeakMap<XMLHttpRequest, string>();
  const isOurs = (xhr: XMLHttpRequest) => xhr.responseURL.startsWith(server.url('/'));

  async function askGrant(file: UppyFileLike): Promise<Grant> {
    const grant = await server.initiate(headForm(file));
    grants.set(file.id, grant);
    return grant;
  }

  // Before anything is sent: XHRUpload makes the body before it asks for the address.
  uppy.addPreProcessor(async (ids) => {
    // Without an answer all files go to the server, which says what is the matter.
    const config = await server.config().catch(() => undefined);
    // Where nothing can go direct, `auto` forwards more than `forward` does.
    forwardPath = `/messages/upload?mode=${config?.modes.includes('direct') === false ? 'auto' : 'forward'}`;
    for (const id of ids) {
      const file = uppy.getFile(id);
      if (file === undefined) continue;
      const { size } = file.data as Blob;
      grants.delete(id);
      uppy.setFileMeta(id, { fileSize: size });
      uppy.setFileState(id, {
        xhrUpload: isForStorage(size, config) ? { method: 'PUT', formData: false } : {},
      });
    }
  });

  return {
    fieldName: 'fileAttachment',
    bundle: false,

    async endpoint(fileOrBundle) {
      const file = fileOrBundle as UppyFileLike & { xhrUpload?: { formData?: boolean } };
      if (file.xhrUpload?.formData !== false) return server.url(forwardPath);
      try {
        return (await askGrant(file)).uploadUrl;
      } catch (error) {
        // What is thrown here reaches nobody, and Uppy would count the file among those that succeeded.
        const current = uppy.getFile(file.id); // gone when it was cancelled meanwhile
        if (current !== undefined) uppy.emit('upload-error', current, error as Error);
        throw error;
      }
    },

    // Must never throw: Uppy would wait for ever.
    async onBeforeRequest(xhr, retryCount, [file]) {
      const id = file?.id ?? '';
      fileIds.set(xhr, id);
      const grant = grants.get(id);
      if (grant !== undefined && retryCount === 0) return setHeaders(xhr, grant.headers);
      if (grant !== undefined && file !== undefined) {
        // Storage did not take it: the URL may have expired, or the network keeps the browser from it.
        const { ticket, contentType } = await askGrant(file).catch(() => grant);
        xhr.open('PUT', server.url('/messages/upload/content'));
        setHeaders(xhr, { 'Upload-Ticket': ticket, 'Content-Type': contentType });
      }
      return server.dress(xhr);
    },

    async onAfterResponse(xhr, retryCount) {
      if (xhr.status < 400 || !isOurs(xhr)) return;
      const error = server.refusalOf(xhr);
      const { retryable, retryAfterMs = 0 } = error;
      if (retryable && retryCount < MAX_RETRIES && retryAfterMs <= MAX_WAIT_MS) {
        await new Promise((resolve) => setTimeout(resolve, retryAfterMs));
      }
      throw error;
    },

    shouldRetry(xhr) {
      if (xhr.status === 0 || !isOurs(xhr)) return true;
      const { retryable, retryAfterMs = 0 } = server.refusalOf(xhr);
      return retryable && retryAfterMs <= MAX_WAIT_MS;
    },

    async getResponseData(xhr) {
      const grant = grants.get(fileIds.get(xhr) ?? '');
      if (grant !== undefined) return { url: await server.complete(grant) };
      // Direct is offered again since the server was asked: the next attempt goes that way.
      if (xhr.status === 202) throw server.refusalOf(xhr);
      return { url: urlOf(JSON.parse(xhr.responseText)) };
    },
  };
}

function isForStorage(size: number, config: ClientConfig | undefined): boolean {
  return config?.modes.includes('direct') === true && size > config.limits.forwardMaxBytes;
}

/** The fields and the head of a file, as `initiate` wants them. */
function headForm({ type, data, meta }: UppyFileLike): FormData {
  const form = new FormData();
  const values: { readonly [name: string]: unknown } = { ...meta };
  for (const field of FIELDS) {
    const value = values[field];
    if (value !== undefined && value !== null) form.append(field, String(value));
  }
  const file = data as Blob;
  form.append('fileSize', String(file.size));
  form.append('fileAttachment', file.slice(0, HEAD_BYTES, type), String(values['name']));
  return form;
}
