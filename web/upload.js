import { language, texts } from './texts.js';

/** Enough of a file for the server to tell what it is. */
const HEAD_BYTES = 64 * 1024;

/** What the server said, or why it could not be asked. */
export class UploadError extends Error {
  constructor({ message, code, requestId = '' }) {
    super(message);
    this.code = code;
    this.requestId = requestId;
  }
}

/**
 * Uploads one file and resolves with its public `url` and the `mode` that it travelled by. `api` says where
 * to and what the server offers, `fields` are the text fields of the form, `onProgress` gets a fraction.
 */
export async function uploadFile(file, { api, fields, signal, onProgress }) {
  const ask = (options) => send({ ...options, signal });
  const offer = file.size > api.forwardMaxBytes && api.isDirectOffered ? await askForUrl(file) : null;
  if (offer !== null) return putIntoStorage(offer);
  const answer = await ask({ url: api.uploadUrl, body: toForm(file), onProgress });
  return answer.mode === 'direct' ? putIntoStorage(answer) : toResult(answer, answer.mode);

  /** The head alone is sent for the check; null where the server can't give out a signed URL after all. */
  async function askForUrl() {
    const head = file.slice(0, HEAD_BYTES, file.type);
    try {
      return await ask({ url: `${api.uploadUrl}?mode=direct`, body: toForm(head) });
    } catch (error) {
      if (error.code === 'DIRECT_UNAVAILABLE') return null;
      throw error;
    }
  }

  async function putIntoStorage({ uploadUrl, method, headers, contentUrl, completeUrl, ticket }) {
    let mode = 'direct';
    try {
      await ask({ method, url: uploadUrl, headers, body: file, onProgress });
    } catch {
      signal.throwIfAborted();
      // Storage can be out of reach, and it hides its refusals from pages: by way of the server, then.
      mode = 'relay';
      const ticketed = { ...headers, 'Upload-Ticket': ticket };
      await ask({ method, url: contentUrl, headers: ticketed, body: file, onProgress });
    }
    const json = { 'Content-Type': 'application/json' };
    return toResult(await ask({ url: completeUrl, headers: json, body: JSON.stringify({ ticket }) }), mode);
  }

  /** The file comes last: what precedes it lets the server decide before its bytes arrive. */
  function toForm(content) {
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.append(name, value);
    form.append('fileSize', String(file.size));
    form.append('fileAttachment', content, file.name);
    return form;
  }
}

function toResult({ uploadedFiles }, mode) {
  const [url] = Object.values(uploadedFiles ?? {});
  if (url === undefined) throw new UploadError({ message: texts.unreadable, code: 'UNREADABLE' });
  return { url, mode };
}

/** One request by XMLHttpRequest, because fetch tells nothing of the progress of a body. */
function send({ method = 'POST', url, headers = {}, body, signal, onProgress }) {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const xhr = new XMLHttpRequest();
    const abort = () => xhr.abort();
    signal.addEventListener('abort', abort, { once: true });
    if (onProgress !== undefined) {
      xhr.upload.onprogress = ({ loaded, total }) => onProgress(total === 0 ? 1 : loaded / total);
    }
    xhr.onabort = () => reject(signal.reason);
    xhr.onerror = () => reject(new UploadError({ message: texts.network, code: 'NETWORK' }));
    xhr.onload = () => {
      if (xhr.status >= 200 && xhr.status < 300) resolve(parse(xhr.responseText) ?? {});
      else reject(toError(xhr));
    };
    xhr.onloadend = () => signal.removeEventListener('abort', abort);
    xhr.open(method, url);
    for (const [name, value] of Object.entries(headers)) xhr.setRequestHeader(name, value);
    // Storage would have to allow this header; its answers aren't read anyway.
    if (new URL(url, location.href).origin === location.origin) {
      xhr.setRequestHeader('Accept-Language', language);
    }
    xhr.send(body);
  });
}

function toError({ status, responseText }) {
  const { message, code, requestId } = parse(responseText) ?? {};
  if (typeof message === 'string' && typeof code === 'string') {
    return new UploadError({ message, code, requestId });
  }
  return new UploadError({ message: texts.unreadable, code: `HTTP ${status}` });
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
