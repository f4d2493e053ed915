import type { UploadErrorCode } from './error-codes.ts';
import type { UploaderOptions } from './types.ts';
import { UploadError, type UploadErrorFacts } from './upload-error.ts';

/** A text in English and in Spanish. */
export type Text = readonly [en: string, es: string];

/** The client's own messages and the server's status for each. Errors of the server bring their own message. */
const MESSAGES: Partial<Record<UploadErrorCode, readonly [status: number, en: string, es: string]>> = {
  // A page can't tell a broken network from a response that CORS hides from it.
  NETWORK: [
    0,
    'The server can’t be reached from this page.',
    'No se puede contactar con el servidor desde esta página.',
  ],
  UNREADABLE: [0, 'The file has changed: choose it again.', 'El archivo cambió: elígelo de nuevo.'],
  NO_FILE: [400, 'Choose a file first.', 'Elige antes un archivo.'],
  EMPTY_FILE: [400, 'The file is empty.', 'El archivo está vacío.'],
  BAD_FILENAME: [
    400,
    'The file name cannot be used: rename the file.',
    'El nombre del archivo no se puede usar: cambia el nombre.',
  ],
  FILE_TOO_LARGE: [
    413,
    'The file is larger than {limit}. Send a smaller one, or a link to it.',
    'El archivo supera {limit}. Envía uno más pequeño o un enlace.',
  ],
  BODY_TOO_LARGE: [
    413,
    'A proxy rejects files of this size. Raise its limit (client_max_body_size in nginx).',
    'Un proxy rechaza archivos de este tamaño. Aumenta su límite (client_max_body_size en nginx).',
  ],
  TYPE_NOT_ALLOWED: [415, 'This type of file is not accepted.', 'No se acepta este tipo de archivo.'],
  DIRECT_UNAVAILABLE: [
    502,
    'The server offers no direct uploads now.',
    'El servidor no ofrece ahora subidas directas.',
  ],
  STORAGE_REFUSED: [
    502,
    'The file could not be stored: upload it again.',
    'No se pudo guardar el archivo: súbelo de nuevo.',
  ],
};

/** For any other code that came without a message, such as an error of a proxy. */
const FAILED = [0, 'The upload failed (error {status}).', 'La subida falló (error {status}).'] as const;

/** What the user reads while an upload waits. */
const WAITING: Readonly<Record<string, Text>> = {
  OFFLINE: [
    'There is no internet connection. The upload will continue.',
    'No hay conexión a internet. La subida continuará.',
  ],
  busy: ['The server is busy. The upload will continue.', 'El servidor está ocupado. La subida continuará.'],
  other: ['The upload will be tried again.', 'La subida se intentará de nuevo.'],
};
const BUSY = ['RATE_LIMITED', 'TOO_MANY_UPLOADS', 'BUSY', 'DRAINING', 'UPSTREAM_BUDGET'];

/** Creates errors with messages in the chosen language. */
export interface ErrorFactory {
  readonly language: 'en' | 'es';
  /** Creates an error, not retryable unless `facts` say so. `message` is the server's own message. */
  toError(code: UploadErrorCode, facts?: Partial<UploadErrorFacts>, message?: string): UploadError;
  /** The text in the chosen language, its placeholders filled from `values`. */
  say(text: Text, values?: Readonly<Record<string, unknown>>): string;
  /** Says to the user why an upload waits. */
  explainWait(code: UploadErrorCode): string;
}

/** Creates the error factory for an uploader's `language` and `messages`. */
export function createErrorFactory(options: UploaderOptions): ErrorFactory {
  const { messages = {} } = options;
  // Read each time: a page may change its language while the uploader exists.
  const isSpanish = () =>
    /^es\b/i.test(
      options.language ?? (globalThis.document?.documentElement.lang || globalThis.navigator?.language || ''),
    );
  const say = (text: Text, values: Readonly<Record<string, unknown>> = {}): string =>
    (isSpanish() ? text[1] : text[0]).replace(/\{(\w+)\}/g, (_, name: string) => {
      const value = values[name];
      if (!/limit|size/.test(name)) return String(value);
      const megabytes = (Number(value) / 1_048_576).toLocaleString(isSpanish() ? 'es' : 'en', {
        maximumFractionDigits: 1,
      });
      return `${megabytes} MB`;
    });
  return {
    get language() {
      return isSpanish() ? 'es' : 'en';
    },
    say,
    explainWait: (code) => say(WAITING[BUSY.includes(code) ? 'busy' : code] ?? (WAITING['other'] as Text)),
    toError(code, facts, message) {
      const [status, en, es] = MESSAGES[code] ?? FAILED;
      const all = { status, retryable: false, ...facts };
      const custom = messages[code];
      const text: Text = custom ? [custom, custom] : [en, es];
      return new UploadError(code, (!custom && message) || say(text, { ...all, ...all.details }), all);
    },
  };
}
