import type { UploadMode } from '../types.ts';

/**
 * Everything that the element says, in one language. Names of files come with their direction isolated.
 *
 * @example
 * ```ts
 * import type { UploadTexts } from 'leadway-bff-client/element';
 *
 * const texts: Partial<UploadTexts> = { heading: () => 'Attach the signed contract', choose: () => 'Browse…' };
 * document.querySelector('leadway-upload')!.texts = texts;
 * ```
 */
export interface UploadTexts {
  /** Of the drop area; `isMultiple` says whether more than one file is taken. */
  heading(isMultiple: boolean): string;
  /** Where files can be dropped and pasted; not shown on touch screens. */
  hint: string;
  /** What is accepted, such as "Pictures and PDF. Up to 5 MB each." */
  limits(kinds: string, size: string): string;
  /** What the channel delivers of that, where it is less: "pictures 5 MB and videos 16 MB". */
  delivered(list: string): string;
  choose(isMultiple: boolean): string;
  folder: string;
  camera: string;
  /** Covers the page while files hover above it. */
  landing: string;
  list: string;
  /** How many of the files have arrived. */
  count(done: number, all: number): string;
  overall: string;
  pause: string;
  resume: string;
  cancelAll: string;
  removeAll: string;
  waiting: string;
  paused: string;
  checking: string;
  preparing: string;
  uploading: string;
  /** Follows `uploading`, and the size of a file that is there, with the attribute `details`. */
  by: Readonly<Record<UploadMode, string>>;
  stalled: string;
  confirming: string;
  retryIn(time: string): string;
  retrying: string;
  done: string;
  cancelled: string;
  amount(loaded: string, total: string): string;
  took(size: string, time: string): string;
  remaining(time: string): string;
  attempt(count: number): string;
  /** What support needs to find the request in the log. */
  reference(requestId: string): string;
  copy: string;
  copied: string;
  retry: string;
  /** In place of `retry`, where the file may be there already or will not be delivered. */
  anyway: string;
  /** Names of buttons of one file, and of its bar; the others are named "Retry: name". */
  cancelFile(name: string): string;
  removeFile(name: string): string;
  progressOf(name: string): string;
  /** What screen readers hear. */
  saidAdded(count: number): string;
  saidDone(name: string): string;
  tooMany(max: number): string;
  /** The page was left before these files had been sent. */
  interrupted(names: string): string;
  /** Why a file is rejected by the element's own `accept`. */
  notAccepted(kinds: string): string;
  /** Validation messages of forms. */
  stillUploading: string;
  required: string;
  kinds: Readonly<Record<FileKind, string>>;
}

/** The kinds of files that have a name of their own: words of their MIME types. */
export type FileKind =
  | 'image'
  | 'video'
  | 'audio'
  | 'pdf'
  | 'word'
  | 'excel'
  | 'powerpoint'
  | 'plain'
  | 'zip'
  | 'rar'
  | 'vcard'
  | 'calendar'
  | 'any';

const ENGLISH: UploadTexts = {
  heading: (isMultiple) => (isMultiple ? 'Add files' : 'Add a file'),
  hint: 'Drop files here, or paste them.',
  limits: (kinds, size) => `${kinds}. Up to ${size} each.`,
  delivered: (list) => `This channel delivers at most: ${list}.`,
  choose: (isMultiple) => (isMultiple ? 'Choose files' : 'Choose a file'),
  folder: 'Folder',
  camera: 'Take a photo',
  landing: 'Drop to upload',
  list: 'Files',
  count: (done, all) => `${done} of ${all} uploaded`,
  overall: 'Progress of all files',
  pause: 'Pause',
  resume: 'Resume',
  cancelAll: 'Cancel all',
  removeAll: 'Remove all',
  waiting: 'Waiting for its turn',
  paused: 'Paused',
  checking: 'Checking type and size',
  preparing: 'Preparing',
  uploading: 'Uploading',
  by: {
    forward: 'through the server',
    direct: 'straight to storage',
    relay: 'to storage through the server',
  },
  stalled: 'No progress. Is the connection slow?',
  confirming: 'Uploaded. Waiting for confirmation',
  retryIn: (time) => `Next try in ${time}`,
  retrying: 'Trying again',
  done: 'Uploaded',
  cancelled: 'Cancelled',
  amount: (loaded, total) => `${loaded} of ${total}`,
  took: (size, time) => `${size} in ${time}`,
  remaining: (time) => `${time} left`,
  attempt: (count) => `attempt ${count}`,
  reference: (requestId) => `Reference for support: ${requestId}`,
  copy: 'Copy link',
  copied: 'Copied',
  retry: 'Retry',
  anyway: 'Upload anyway',
  cancelFile: (name) => `Cancel ${name}`,
  removeFile: (name) => `Remove ${name}`,
  progressOf: (name) => `Progress of ${name}`,
  saidAdded: (count) => (count === 1 ? '1 file added.' : `${count} files added.`),
  saidDone: (name) => `${name} is uploaded.`,
  tooMany: (max) => (max === 1 ? 'Only 1 file can be added.' : `Only ${max} files can be added.`),
  interrupted: (names) => `Not uploaded: ${names}. Choose again.`,
  notAccepted: (kinds) => `This file is not accepted here. Accepted: ${kinds}.`,
  stillUploading: 'Wait until the files are uploaded.',
  required: 'Add a file.',
  kinds: {
    image: 'pictures',
    video: 'videos',
    audio: 'audio',
    pdf: 'PDF',
    word: 'Word',
    excel: 'Excel',
    powerpoint: 'PowerPoint',
    plain: 'text',
    zip: 'ZIP',
    rar: 'RAR',
    vcard: 'contacts',
    calendar: 'calendar entries',
    any: 'files',
  },
};

const SPANISH: UploadTexts = {
  heading: (isMultiple) => (isMultiple ? 'Añade archivos' : 'Añade un archivo'),
  hint: 'Suelta archivos aquí o pégalos.',
  limits: (kinds, size) => `${kinds}. Hasta ${size} cada uno.`,
  delivered: (list) => `Este canal entrega como máximo: ${list}.`,
  choose: (isMultiple) => (isMultiple ? 'Elegir archivos' : 'Elegir un archivo'),
  folder: 'Carpeta',
  camera: 'Hacer una foto',
  landing: 'Suelta para subir',
  list: 'Archivos',
  count: (done, all) => `${done} de ${all} subidos`,
  overall: 'Progreso de todos los archivos',
  pause: 'Pausar',
  resume: 'Continuar',
  cancelAll: 'Cancelar todo',
  removeAll: 'Quitar todo',
  waiting: 'Esperando su turno',
  paused: 'En pausa',
  checking: 'Comprobando tipo y tamaño',
  preparing: 'Preparando',
  uploading: 'Subiendo',
  by: {
    forward: 'a través del servidor',
    direct: 'directo al almacenamiento',
    relay: 'al almacenamiento a través del servidor',
  },
  stalled: 'Sin avance. ¿Va lenta la conexión?',
  confirming: 'Subido. Esperando confirmación',
  retryIn: (time) => `Nuevo intento en ${time}`,
  retrying: 'Nuevo intento',
  done: 'Subido',
  cancelled: 'Cancelado',
  amount: (loaded, total) => `${loaded} de ${total}`,
  took: (size, time) => `${size} en ${time}`,
  remaining: (time) => `quedan ${time}`,
  attempt: (count) => `intento ${count}`,
  reference: (requestId) => `Referencia para soporte: ${requestId}`,
  copy: 'Copiar enlace',
  copied: 'Copiado',
  retry: 'Reintentar',
  anyway: 'Subir de todos modos',
  cancelFile: (name) => `Cancelar ${name}`,
  removeFile: (name) => `Quitar ${name}`,
  progressOf: (name) => `Progreso de ${name}`,
  saidAdded: (count) => (count === 1 ? '1 archivo añadido.' : `${count} archivos añadidos.`),
  saidDone: (name) => `${name} se ha subido.`,
  tooMany: (max) =>
    max === 1 ? 'Solo se puede añadir 1 archivo.' : `Solo se pueden añadir ${max} archivos.`,
  interrupted: (names) => `Sin subir: ${names}. Elige de nuevo.`,
  notAccepted: (kinds) => `Este archivo no se acepta aquí. Se aceptan: ${kinds}.`,
  stillUploading: 'Espera a que terminen de subir los archivos.',
  required: 'Añade un archivo.',
  kinds: {
    image: 'imágenes',
    video: 'videos',
    audio: 'audio',
    pdf: 'PDF',
    word: 'Word',
    excel: 'Excel',
    powerpoint: 'PowerPoint',
    plain: 'texto',
    zip: 'ZIP',
    rar: 'RAR',
    vcard: 'contactos',
    calendar: 'citas',
    any: 'archivos',
  },
};

/** The languages that the element speaks. */
export type Language = 'en' | 'es';

/** The texts of each language. */
export const TEXTS: Readonly<Record<Language, UploadTexts>> = { en: ENGLISH, es: SPANISH };
