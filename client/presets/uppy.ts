import type { ClientConfig } from '../types.ts';
import {
  createServerCalls,
  type ServerOptions,
  type SignedUpload,
  setHeaders,
  urlOf,
} from './server-calls.ts';

/** Enough for the server to recognise the type of a file. */
const LEADING_BYTES = 64 * 1024;
/** Where the server asks for a longer wait, the file fails instead. */
const MAX_WAIT_MS = 60_000;
const MAX_RETRIES = 3; // Uppy's own number
const FIELDS = ['conversationId', 'contactId', 'locationId', 'channel'];

/** The fields of Uppy's file that the preset reads. */
export interface UppyFileLike {
  readonly id: string;
  readonly type: string;
  readonly data: unknown;
  readonly meta: object;
}

/** The methods of Uppy that the preset calls. */
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
 * is small enough and PUT straight into storage where it is not, through the server where storage can't be
 * reached. A rejected file shows the server's message and is not retried; after `Retry-After` it is. `uploadURL`
 * is the file's public URL.
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
  const signeds = new Map<string, SignedUpload>();
  let forwardPath = '/messages/upload?mode=forward';
  const fileIds = new WeakMap<XMLHttpRequest, string>();
  const isServer = (xhr: XMLHttpRequest) => xhr.responseURL.startsWith(server.url('/'));

  async function initiate(file: UppyFileLike): Promise<SignedUpload> {
    const signed = await server.initiate(leadingBytesForm(file));
    signeds.set(file.id, signed);
    return signed;
  }

  // A preprocessor, because XHRUpload builds the body before it asks for the endpoint.
  uppy.addPreProcessor(async (ids) => {
    // Without a configuration all files go to the server, which rejects them with a message.
    const config = await server.config().catch(() => undefined);
    // Where direct is not offered, `auto` forwards larger files than `forward` does.
    forwardPath = `/messages/upload?mode=${config?.modes.includes('direct') === false ? 'auto' : 'forward'}`;
    for (const id of ids) {
      const file = uppy.getFile(id);
      if (file === undefined) continue;
      const { size } = file.data as Blob;
      signeds.delete(id);
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
        return (await initiate(file)).uploadUrl;
      } catch (error) {
        // Uppy ignores errors thrown here and would count the file as uploaded.
        const current = uppy.getFile(file.id); // gone when it was cancelled meanwhile
        if (current !== undefined) uppy.emit('upload-error', current, error as Error);
        throw error;
      }
    },

    // Must never throw: Uppy would wait forever.
    async onBeforeRequest(xhr, retryCount, [file]) {
      const id = file?.id ?? '';
      fileIds.set(xhr, id);
      const signed = signeds.get(id);
      if (signed !== undefined && retryCount === 0) return setHeaders(xhr, signed.headers);
      if (signed !== undefined && file !== undefined) {
        // The PUT failed: the URL may have expired, or the network may block storage.
        const { ticket, contentType } = await initiate(file).catch(() => signed);
        xhr.open('PUT', server.url('/messages/upload/content'));
        setHeaders(xhr, { 'Upload-Ticket': ticket, 'Content-Type': contentType });
      }
      return server.prepareRequest(xhr);
    },

    async onAfterResponse(xhr, retryCount) {
      if (xhr.status < 400 || !isServer(xhr)) return;
      const error = server.toError(xhr);
      const { retryable, retryAfterMs = 0 } = error;
      if (retryable && retryCount < MAX_RETRIES && retryAfterMs <= MAX_WAIT_MS) {
        await new Promise((resolve) => setTimeout(resolve, retryAfterMs));
      }
      throw error;
    },

    shouldRetry(xhr) {
      if (xhr.status === 0 || !isServer(xhr)) return true;
      const { retryable, retryAfterMs = 0 } = server.toError(xhr);
      return retryable && retryAfterMs <= MAX_WAIT_MS;
    },

    async getResponseData(xhr) {
      const signed = signeds.get(fileIds.get(xhr) ?? '');
      if (signed !== undefined) return { url: await server.complete(signed) };
      // Direct is offered again since the configuration was read: the next attempt uses it.
      if (xhr.status === 202) throw server.toError(xhr);
      return { url: urlOf(JSON.parse(xhr.responseText)) };
    },
  };
}

function isForStorage(size: number, config: ClientConfig | undefined): boolean {
  return config?.modes.includes('direct') === true && size > config.limits.forwardMaxBytes;
}

/** The form for `initiate`: the fields and the leading bytes of a file. */
function leadingBytesForm({ type, data, meta }: UppyFileLike): FormData {
  const form = new FormData();
  const values: { readonly [name: string]: unknown } = { ...meta };
  for (const field of FIELDS) {
    const value = values[field];
    if (value !== undefined && value !== null) form.append(field, String(value));
  }
  const file = data as Blob;
  form.append('fileSize', String(file.size));
  form.append('fileAttachment', file.slice(0, LEADING_BYTES, type), String(values['name']));
  return form;
}
