import { refusalOf, waysFor } from './acceptance.ts';
import type { ConfigSource } from './config-source.ts';
import type { ErrorMaker } from './messages.ts';
import type { Reporter } from './progress.ts';
import type { Call, Send } from './request.ts';
import type { UploadMode, UploadOptions, UploadResult } from './types.ts';
import { UploadError } from './upload-error.ts';

/** Enough of a file for the server to tell what it is. */
const HEAD_BYTES = 64 * 1024;
/** A signed URL that ends sooner than this is not used any more. */
const EXPIRY_MARGIN_MS = 60_000;
/** How long a way that did not work is left alone. */
const DETOUR_MS = 5 * 60_000;
/** Answers to `complete` after which the file has to be sent again. */
const TICKET_LOST = ['TICKET_INVALID', 'TICKET_EXPIRED', 'NOT_UPLOADED'];
/** Answers to the head of a file that say nothing against the file. */
const NOT_ABOUT_FILE = ['NETWORK', 'SIZE_MISMATCH', 'DIRECT_UNAVAILABLE'];

/** A signed URL. */
interface Offer {
  readonly uploadUrl: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly expiresAt: number;
  readonly ticket: string;
}

/** The answer to a form, and to `complete`. */
type Answer =
  | { readonly mode?: 'forward' | 'relay'; readonly uploadedFiles: Readonly<Record<string, string>> }
  | ({ readonly mode: 'direct' } & Offer);

/** What the uploads of an uploader have in common. */
export interface Surroundings extends ErrorMaker {
  readonly send: Send;
  readonly config: ConfigSource;
  /** Until when a way is not to be tried, as `Date.now()` counts. */
  readonly detours: Map<string, number>;
}

/**
 * Makes the function that carries a file to the server or into storage. When it has failed it may be called
 * again, and does not repeat what has been done: a file in storage is only completed.
 */
export function createTransfer(
  file: File,
  options: UploadOptions,
  report: Reporter,
  around: Surroundings,
): () => Promise<UploadResult> {
  const { send, config, detours, toError } = around;
  const { conversationId, contactId, locationId, channel, mode: wish = 'auto', signal } = options;
  const initiate = `initiate ${locationId}`;
  let offer: Offer | undefined;
  let isStored = false;
  let storageFailures = 0;
  let lostTickets = 0;
  let isDenied = false;

  return async function transfer(): Promise<UploadResult> {
    for (;;) {
      if (!isStored) report.begin();
      try {
        const result = await travel();
        if (result) return result;
      } catch (error) {
        const code = error instanceof UploadError && error.code;
        if (code === 'DIRECT_UNAVAILABLE' && wish === 'auto' && !isDenied) {
          isDenied = true;
          // The server gives out no signed URLs any more, and may forward more than it said for that.
          config.forget();
          block(initiate);
        } else if (code && TICKET_LOST.includes(code) && isStored) {
          if (++lostTickets > 2) throw error;
        } else throw error;
        offer = undefined;
        isStored = false;
      }
    }
  };

  /** One try by one way; undefined when another way has to be taken. */
  async function travel(): Promise<UploadResult | undefined> {
    if (!isStored) {
      const mode = await choose();
      report.note({ mode });
      if (mode !== 'direct') {
        const query = wish === 'auto' && mode === 'forward' ? '' : `?mode=${mode}`;
        const answer = (await post(file, query).catch((error) => askWithHead(query, error))) as Answer;
        if (answer.mode !== 'direct') return toResult(answer, mode);
        offer = answer;
        report.begin();
        report.note({ mode: 'direct' });
      } else if (!offer || offer.expiresAt < Date.now() + EXPIRY_MARGIN_MS) {
        offer = (await postHead('/initiate')) as Offer;
      }
      isStored = await put(offer);
    }
    if (!isStored) return undefined;
    report.sent(1);
    const { ticket } = offer as Offer;
    const headers = { 'Content-Type': 'application/json' };
    const body = JSON.stringify({ ticket });
    const done = await send({
      method: 'POST',
      path: '/messages/upload/complete',
      headers,
      body,
      file,
      signal,
    });
    return toResult(done as Answer, 'direct');
  }

  async function choose(): Promise<UploadMode> {
    report.note({ phase: 'checking' });
    const known = await config.read(signal);
    const refusal = refusalOf(file, options, known, around);
    // How much is forwarded for a location without signed URLs is known to the server alone.
    const isForwarded = wish === 'auto' && isBlocked(initiate);
    if (refusal && !(isForwarded && refusal.code === 'FILE_TOO_LARGE')) throw refusal;
    if (isForwarded) return 'forward';
    const ways = waysFor(file.size, options, known);
    return ways.find((way) => !isBlocked(way)) ?? (ways.at(-1) as UploadMode);
  }

  /** Sends the form with the file or its head; what precedes the file lets the server decide before it comes. */
  function post(content: Blob, where: string): Promise<unknown> {
    const form = new FormData();
    const fields = { conversationId, contactId, locationId, channel, fileSize: String(file.size) };
    for (const [name, value] of Object.entries(fields)) if (value) form.append(name, value);
    form.append('fileAttachment', content, file.name);
    const path = `/messages/upload${where}`;
    const onSent = content === file ? report.sent : undefined;
    return call({ path, body: form, bytes: content.size, onSent });
  }

  function postHead(where: string): Promise<unknown> {
    return post(file.slice(0, HEAD_BYTES, file.type), where);
  }

  /**
   * Finds out whether a lost connection was an answer. Firefox reads none before it has sent everything; a
   * refused body that the server does not read to its end then looks like a broken network. The head gets the
   * same refusal, and is never taken for the file, whose size has been declared.
   */
  async function askWithHead(query: string, failure: unknown): Promise<unknown> {
    const isLost = failure instanceof UploadError && failure.code === 'NETWORK';
    if (!isLost || file.size <= HEAD_BYTES) throw failure;
    try {
      return await postHead(query);
    } catch (error) {
      throw error instanceof UploadError && NOT_ABOUT_FILE.includes(error.code) ? failure : error;
    }
  }

  /** Puts the file into storage; false when that does not work and something else has to be tried. */
  async function put({ uploadUrl: path, method, headers }: Offer): Promise<boolean> {
    try {
      await call({
        method,
        path,
        headers,
        target: 'storage',
        body: file,
        bytes: file.size,
        onSent: report.sent,
      });
      return true;
    } catch (error) {
      // Storage hides its refusals from pages: they look like a broken network.
      if (!(error instanceof UploadError) || navigator.onLine === false) throw error;
      offer = undefined;
      if (++storageFailures > 1) {
        const { status } = error;
        if (wish === 'direct' || storageFailures > 2)
          throw toError('STORAGE_REFUSED', { status, cause: error });
        block('direct');
      }
      return false;
    }
  }

  function call(about: Omit<Call, 'method'> & { readonly method?: string }): Promise<unknown> {
    return send({ method: 'POST', file, signal, ...about });
  }

  function toResult(answer: Answer, fallback: UploadMode): UploadResult {
    const { mode = fallback, uploadedFiles = {} } = answer as Extract<Answer, { uploadedFiles: unknown }>;
    const [[name, url] = []] = Object.entries(uploadedFiles);
    if (!name || !url) throw toError('UPSTREAM_ERROR', { status: 200 });
    report.sent(1);
    report.note({ phase: 'done', mode, remainingMs: 0 });
    return { file, name, url, mode };
  }

  function isBlocked(way: string): boolean {
    return (detours.get(way) ?? 0) > Date.now();
  }

  function block(way: string): void {
    detours.set(way, Date.now() + DETOUR_MS);
  }
}
