import { type IdempotencyKeys, keyFor } from '../request.ts';
import type { ClientConfig } from '../types.ts';
import {
  createServerCalls,
  MAX_RETRIES,
  MAX_WAIT_MS,
  type ServerOptions,
  type SignedUpload,
  setHeaders,
  urlOf,
} from './server-calls.ts';

/** Enough for the server to recognise the type of a file. */
const LEADING_BYTES = 64 * 1024;
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
  const sent = new WeakMap<XMLHttpRequest, { readonly file: UppyFileLike; readonly content: string }>();
  const keysByFile = new WeakMap<object, IdempotencyKeys>();
  const isServer = (xhr: XMLHttpRequest) => xhr.responseURL.startsWith(server.url('/'));

  /** The keys of a file, which it keeps when the user tries again. */
  function keysOf({ data }: UppyFileLike): IdempotencyKeys {
    const keys = keysByFile.get(data as Blob) ?? {};
    keysByFile.set(data as Blob, keys);
    return keys;
  }

  async function initiate(file: UppyFileLike): Promise<SignedUpload> {
    const signed = await server.initiate(leadingBytesForm(file), keysOf(file));
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
      if (file === undefined) return;
      const content = `${forwardPath} ${[...fieldsOf(file)]}`;
      sent.set(xhr, { file, content });
      const signed = signeds.get(file.id);
      if (signed !== undefined && retryCount === 0) return setHeaders(xhr, signed.headers);
      if (signed === undefined) {
        setHeaders(xhr, { 'Idempotency-Key': keyFor(keysOf(file), content) });
      } else {
        // The PUT failed: the URL may have expired, or the network may block storage.
        const { ticket, contentType } = await initiate(file).catch(() => signed);
        xhr.open('PUT', server.url('/messages/upload/content'));
        setHeaders(xhr, { 'Upload-Ticket': ticket, 'Content-Type': contentType });
      }
      return server.prepareRequest(xhr);
    },

    async onAfterResponse(xhr, retryCount) {
      const { file, content = '' } = sent.get(xhr) ?? {};
      if (file !== undefined && !server.needsKeyAgain(xhr)) delete keysOf(file)[content];
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
      const { file } = sent.get(xhr) ?? {};
      const signed = signeds.get(file?.id ?? '');
      if (signed !== undefined) return { url: await server.complete(signed, file ? keysOf(file) : {}) };
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
function leadingBytesForm(file: UppyFileLike): FormData {
  const form = new FormData();
  for (const [name, value] of fieldsOf(file)) form.append(name, value);
  const data = file.data as Blob;
  form.append('fileAttachment', data.slice(0, LEADING_BYTES, file.type), String(metaOf(file)['name']));
  return form;
}

function* fieldsOf(file: UppyFileLike): Generator<[string, string]> {
  for (const field of FIELDS) {
    const value = metaOf(file)[field];
    if (value !== undefined && value !== null) yield [field, String(value)];
  }
  yield ['fileSize', String((file.data as Blob).size)];
}

function metaOf({ meta }: UppyFileLike): { readonly [name: string]: unknown } {
  return { ...meta };
}
