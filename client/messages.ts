import type { UploadErrorCode } from './error-codes.ts';
import type { UploaderOptions } from './types.ts';
import { UploadError, type UploadErrorFacts } from './upload-error.ts';

/** What the client itself has to say; the server's errors come with their own words. */
const MESSAGES: Partial<Record<UploadErrorCode, readonly [en: string, es: string]>> = {
  NETWORK: ['The server can’t be reached.', 'No se puede contactar con el servidor.'],
  ABORTED: ['The upload was cancelled.', 'Se canceló la subida.'],
  UNREADABLE: [
    'The file can no longer be read: choose it again.',
    'El archivo ya no se puede leer: elígelo de nuevo.',
  ],
  NO_FILE: ['There is no file.', 'No hay ningún archivo.'],
  TOO_MANY_FILES: ['At most {max} files can be sent.', 'Se pueden enviar como máximo {max} archivos.'],
  EMPTY_FILE: ['The file is empty.', 'El archivo está vacío.'],
  BAD_FILENAME: ['The file needs another name.', 'El archivo necesita otro nombre.'],
  FILE_TOO_LARGE: ['The file is larger than {limit}.', 'El archivo supera {limit}.'],
  TYPE_NOT_ALLOWED: ['Files of this type are not accepted.', 'No se aceptan archivos de este tipo.'],
  TYPE_MISMATCH: [
    'The file is not of the type that its name says.',
    'El archivo no es del tipo que indica su nombre.',
  ],
  STORAGE_REFUSED: ['The file could not be stored.', 'No se pudo guardar el archivo.'],
  DIRECT_UNAVAILABLE: ['This way of sending is not available.', 'Esta forma de envío no está disponible.'],
};

/** What any other code says when it came without words, from something between us and the server. */
const FAILED = ['The upload failed (HTTP {status}).', 'La subida falló (HTTP {status}).'] as const;

/** Makes errors with the words of the chosen language. */
export interface ErrorMaker {
  readonly language: 'en' | 'es';
  /** An error; `message` are the server's words for it. */
  toError(
    code: UploadErrorCode,
    facts?: Partial<UploadErrorFacts>,
    message?: string,
    cause?: unknown,
  ): UploadError;
}

/** The maker of errors for an uploader's `language` and `messages`. */
export function createErrorMaker({ language, messages = {} }: UploaderOptions): ErrorMaker {
  const chosen = language ?? (globalThis.document?.documentElement.lang || navigator.language || '');
  const isSpanish = /^es\b/i.test(chosen);
  return {
    language: isSpanish ? 'es' : 'en',
    toError(code, { status = 0, retryable = false, ...facts } = {}, message, cause) {
      const own = MESSAGES[code] ?? FAILED;
      const text = messages[code] ?? message ?? own[isSpanish ? 1 : 0];
      const values: Readonly<Record<string, unknown>> = { status, ...facts.details };
      const words = text.replace(/\{(\w+)\}/g, (all, name: string) =>
        name === 'limit' ? toMegabytes(Number(values[name])) : String(values[name] ?? all),
      );
      return new UploadError(code, words, { status, retryable, ...facts }, cause);
    },
  };
}

/** `5242880` as `5 MB`: what people call it. */
function toMegabytes(bytes: number): string {
  return `${Math.floor(bytes / 1024 ** 2) || Math.round(bytes / 104_857.6) / 10} MB`;
}
