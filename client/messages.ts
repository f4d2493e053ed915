import type { UploadErrorCode } from './error-codes.ts';
import type { UploaderOptions } from './types.ts';
import { UploadError, type UploadErrorFacts } from './upload-error.ts';

/** The client's own messages and the server's status for each. Errors of the server bring their own message. */
const MESSAGES: Partial<Record<UploadErrorCode, readonly [status: number, en: string, es: string]>> = {
  // A page can't tell a broken network from a response that CORS hides from it.
  NETWORK: [
    0,
    'The server can’t be reached from this page.',
    'No se puede contactar con el servidor desde esta página.',
  ],
  OFFLINE: [0, 'There is no internet connection.', 'No hay conexión a internet.'],
  UNREADABLE: [0, 'The file has changed: choose it again.', 'El archivo ha cambiado: elígelo de nuevo.'],
  NO_FILE: [400, 'Choose a file first.', 'Elige antes un archivo.'],
  TOO_MANY_FILES: [
    400,
    'Too many files: at most {max} can be sent at once.',
    'Demasiados archivos: se pueden enviar {max} a la vez como máximo.',
  ],
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
  TYPE_NOT_ALLOWED: [415, 'This type of file is not accepted.', 'No se acepta este tipo de archivo.'],
  TYPE_MISMATCH: [
    415,
    'The content of the file is not what its name says.',
    'El contenido del archivo no es lo que indica su nombre.',
  ],
  DIRECT_UNAVAILABLE: [
    502,
    'This server does not offer direct uploads now.',
    'Este servidor no ofrece ahora subidas directas.',
  ],
  STORAGE_REFUSED: [
    502,
    'The file could not be stored: start the upload again.',
    'No se pudo guardar el archivo: empieza la subida de nuevo.',
  ],
};

/** For any other code that came without a message, such as an error of a proxy. */
const FAILED = [0, 'The upload failed (error {status}).', 'La subida falló (error {status}).'] as const;

/** Creates errors with messages in the chosen language. */
export interface ErrorFactory {
  readonly language: 'en' | 'es';
  /** Creates an error, not retryable unless `facts` say so. `message` is the server's own message. */
  toError(code: UploadErrorCode, facts?: Partial<UploadErrorFacts>, message?: string): UploadError;
}

/** Creates the error factory for an uploader's `language` and `messages`. */
export function createErrorFactory(options: UploaderOptions): ErrorFactory {
  const { messages = {} } = options;
  // Read each time: a page may change its language while the uploader exists.
  const isSpanish = () =>
    /^es\b/i.test(
      options.language ?? (globalThis.document?.documentElement.lang || globalThis.navigator?.language || ''),
    );
  return {
    get language() {
      return isSpanish() ? 'es' : 'en';
    },
    toError(code, facts, message) {
      const own = MESSAGES[code] ?? FAILED;
      const all = { status: own[0], retryable: false, ...facts };
      const values: Readonly<Record<string, unknown>> = { ...all, ...all.details };
      const template = messages[code] ?? (message ? '' : own[isSpanish() ? 2 : 1]);
      const words = template.replace(/\{(\w+)\}/g, (_, name: string) => {
        const value = values[name];
        if (name !== 'limit') return String(value);
        const megabytes = (Number(value) / 1_048_576).toLocaleString(isSpanish() ? 'es' : 'en', {
          maximumFractionDigits: 1,
        });
        return `${megabytes} MB`;
      });
      return new UploadError(code, words || (message as string), all);
    },
  };
}
