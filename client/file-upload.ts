import type { ConfigSource } from './config-source.ts';
import { checkFile, modesFor } from './file-check.ts';
import type { ErrorFactory } from './messages.ts';
import type { ProgressTracker } from './progress.ts';
import type { IdempotencyKeys, RequestOptions, Send } from './request.ts';
import type { Delivery, UploadMode, UploadOptions, UploadResult } from './types.ts';
import { UploadError } from './upload-error.ts';

/** Enough of a file for the server to recognise its type. */
const LEADING_BYTES = 64 * 1024;
/** A signed URL that expires sooner than this is not used. */
const EXPIRY_MARGIN_MS = 60_000;
/** How long a mode that failed is not tried again. */
const BLOCK_MS = 5 * 60_000;
/** Errors of `complete` after which the file has to be sent again. */
export const TICKET_LOST = ['TICKET_INVALID', 'TICKET_EXPIRED', 'NOT_UPLOADED'];
/** Errors in response to the leading bytes that are not about the file. */
const NOT_ABOUT_FILE = ['NETWORK', 'SIZE_MISMATCH', 'DIRECT_UNAVAILABLE'];

/** A signed URL and the ticket for it. */
interface SignedUpload {
  readonly uploadUrl: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly expiresAt: number;
  readonly ticket: string;
  readonly delivery?: Delivery;
}

/** The response to a form, and to `complete`. */
type UploadResponse = CompletedUpload | ({ readonly mode: 'direct' } & SignedUpload);

interface CompletedUpload {
  readonly mode?: 'forward' | 'relay';
  readonly uploadedFiles: Readonly<Record<string, string>>;
  readonly delivery?: Delivery;
}

/** What the uploads of an uploader share. */
export interface UploadDeps {
  readonly errors: ErrorFactory;
  readonly send: Send;
  readonly config: ConfigSource;
  /** Until when a mode is not to be tried, in the time of `Date.now()`. */
  readonly blockedUntil: Map<string, number>;
}

/** What an upload notifies of. */
export interface UploadEvents {
  /** The file is in storage and has this ticket, or the ticket is lost. */
  onStored(ticket: string | undefined): void;
  /** The server has seen the leading bytes. What this throws ends the attempt before the file is sent. */
  onDelivery(delivery: Delivery | undefined): void;
}

/** Whether Leadway may have done what failed. */
export function isOutcomeUnknown({ code, details }: Partial<UploadError>): boolean {
  return /^IDEM/.test(code ?? '') || details?.['outcome'] === 'unknown';
}

/** Completes a file that is in storage; retryable in doubt, as that stores nothing twice. @throws UploadError */
export async function completeUpload(
  send: Send,
  ticket: string,
  options: Pick<RequestOptions, 'file' | 'keys' | 'signal'>,
): Promise<CompletedUpload> {
  const response = await send({
    method: 'POST',
    path: '/messages/upload/complete',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ ticket }),
    ...options,
  }).catch((error) => {
    if (isOutcomeUnknown(error)) error.retryable = true;
    throw error;
  });
  return response as CompletedUpload;
}

/** The name and URL of the one file of a response; undefined when it has none. */
export function uploadedFile({ uploadedFiles = {}, delivery }: CompletedUpload) {
  const [[name, url] = []] = Object.entries(uploadedFiles);
  return name && url ? { name, url, ...(delivery && { delivery }) } : undefined;
}

/**
 * Creates the function that uploads a file. After a failure it may be called again, and does not repeat what has
 * been done: a file that is in storage is only completed.
 */
export function createFileUpload(
  file: File,
  options: UploadOptions,
  progress: ProgressTracker,
  deps: UploadDeps,
  { onStored, onDelivery }: UploadEvents,
  keys: IdempotencyKeys,
): () => Promise<UploadResult> {
  const { send, config, blockedUntil, errors } = deps;
  const { toError } = errors;
  const { conversationId, contactId, locationId, channel, mode: requestedMode = 'auto', signal } = options;
  const initiateKey = `initiate ${locationId}`;
  let signed: SignedUpload | undefined;
  let isStored = false;
  let storageFailures = 0;
  let lostTickets = 0;
  let isDirectDenied = false;

  return async function uploadFile(): Promise<UploadResult> {
    for (;;) {
      if (!isStored) progress.startAttempt();
      try {
        const result = await attempt();
        if (result) return result;
      } catch (error) {
        const code = error instanceof UploadError && error.code;
        if (code === 'DIRECT_UNAVAILABLE' && requestedMode === 'auto' && !isDirectDenied) {
          isDirectDenied = true;
          // Without signed URLs the server may forward larger files than it said before.
          config.forget();
          block(initiateKey);
        } else if (code && TICKET_LOST.includes(code) && isStored) {
          if (++lostTickets > 2) throw error;
        } else throw error;
        signed = undefined;
        isStored = false;
        onStored(undefined);
      }
    }
  };

  /** Tries one mode; undefined when another one has to be tried. */
  async function attempt(): Promise<UploadResult | undefined> {
    if (!isStored) {
      const mode = await chooseMode();
      progress.update({ mode });
      if (mode !== 'direct') {
        const query = requestedMode === 'auto' && mode === 'forward' ? '' : `?mode=${mode}`;
        let response: UploadResponse;
        try {
          response = (await postForm(file, query).catch((error) =>
            probeWithLeadingBytes(query, error),
          )) as UploadResponse;
        } catch (error) {
          const { modes } = await config.read(signal);
          const isBodyTooLarge = error instanceof UploadError && error.is('BODY_TOO_LARGE');
          // A proxy allows only smaller bodies: a direct upload sends it no more than the leading bytes.
          if (!isBodyTooLarge || requestedMode !== 'auto' || !modes.includes('direct') || isBlocked('direct'))
            throw error;
          block('forward');
          block('relay');
          return undefined;
        }
        if (response.mode !== 'direct') return toResult(response, mode);
        signed = response;
        onDelivery(signed.delivery);
        progress.startAttempt();
        progress.update({ mode: 'direct' });
      } else if (!signed || signed.expiresAt < Date.now() + EXPIRY_MARGIN_MS) {
        signed = (await postLeadingBytes('/initiate')) as SignedUpload;
        onDelivery(signed.delivery);
      }
      isStored = await putIntoStorage(signed);
    }
    if (!isStored) return undefined;
    progress.setSent(1);
    const { ticket } = signed as SignedUpload;
    onStored(ticket);
    return toResult(await completeUpload(send, ticket, { file, keys, signal }), 'direct');
  }

  async function chooseMode(): Promise<UploadMode> {
    progress.update({ phase: 'checking' });
    const current = await config.read(signal);
    const rejection = checkFile(file, options, current, errors);
    // Only the server knows how much it forwards for a location without signed URLs.
    const isForwarded = requestedMode === 'auto' && isBlocked(initiateKey);
    if (rejection && !(isForwarded && rejection.code === 'FILE_TOO_LARGE')) throw rejection;
    if (isForwarded) return 'forward';
    const modes = modesFor(file.size, options, current);
    return modes.find((mode) => !isBlocked(mode)) ?? (modes.at(-1) as UploadMode);
  }

  /** Sends the form with the file or its leading bytes. The fields come first, so that the server can decide early. */
  function postForm(content: Blob, suffix: string): Promise<unknown> {
    const form = new FormData();
    const fields = { conversationId, contactId, locationId, channel, fileSize: String(file.size) };
    for (const [name, value] of Object.entries(fields)) if (value) form.append(name, value);
    form.append('fileAttachment', content, file.name);
    const path = `/messages/upload${suffix}`;
    const onSent = content === file ? progress.setSent : undefined;
    return sendForFile({ path, body: form, bytes: content.size, keys, onSent });
  }

  function postLeadingBytes(suffix: string): Promise<unknown> {
    return postForm(file.slice(0, LEADING_BYTES, file.type), suffix);
  }

  /**
   * Finds out whether a lost connection was a rejection. Firefox reads no response before it has sent the whole
   * body, so a rejection that ends the connection looks like a broken network. The leading bytes get the same
   * rejection, and the server can't take them for the file because the file's size is declared.
   */
  async function probeWithLeadingBytes(query: string, failure: unknown): Promise<unknown> {
    const isLost = failure instanceof UploadError && failure.code === 'NETWORK';
    if (!isLost || file.size <= LEADING_BYTES) throw failure;
    try {
      return await postLeadingBytes(query);
    } catch (error) {
      throw error instanceof UploadError && NOT_ABOUT_FILE.includes(error.code) ? failure : error;
    }
  }

  /** PUTs the file into storage; false when that failed and something else has to be tried. */
  async function putIntoStorage({ uploadUrl: path, method, headers }: SignedUpload): Promise<boolean> {
    try {
      await sendForFile({
        method,
        path,
        headers,
        target: 'storage',
        body: file,
        bytes: file.size,
        onSent: progress.setSent,
      });
      return true;
    } catch (error) {
      // Storage sends its errors without CORS headers, so they look like a broken network.
      if (!(error instanceof UploadError) || navigator.onLine === false) throw error;
      signed = undefined;
      if (++storageFailures > 1) {
        const { status } = error;
        if (requestedMode === 'direct' || storageFailures > 2)
          throw toError('STORAGE_REFUSED', { status, cause: error });
        block('direct');
      }
      return false;
    }
  }

  function sendForFile(
    request: Omit<RequestOptions, 'method'> & { readonly method?: string },
  ): Promise<unknown> {
    return send({ method: 'POST', file, signal, ...request });
  }

  function toResult(response: CompletedUpload, fallback: UploadMode): UploadResult {
    const { mode = fallback } = response;
    const uploaded = uploadedFile(response);
    if (!uploaded) throw toError('UPSTREAM_ERROR', { status: 200 });
    progress.setSent(1);
    const { delivery } = uploaded;
    progress.update({ phase: 'done', mode, remainingMs: 0, ...(delivery && { delivery }) });
    return { file, mode, ...uploaded };
  }

  function isBlocked(key: string): boolean {
    return (blockedUntil.get(key) ?? 0) > Date.now();
  }

  function block(key: string): void {
    blockedUntil.set(key, Date.now() + BLOCK_MS);
  }
}
