import {
  fillPlaceholders,
  formatMessage,
  type Language,
  type Localised,
  localise,
  type MessageKey,
  type MessageParams,
} from '../errors/messages.ts';
import type { Advice } from './file-type.ts';
import { extensionOf, fileTypeOfExtension, type TypePolicy } from './file-types.ts';
import { ENCRYPTED_OFFICE } from './formats/cfb-kind.ts';
import { type Kind, KNOWN_EXTENSIONS, kindOfExtension, kindOfMimeType } from './kinds.ts';
import { OWNER_FILE } from './recognise.ts';
import type { TypeProblem } from './validation.ts';

/** The message for a problem, and the values for its placeholders. */
export interface TypeMessage {
  readonly message: MessageKey;
  readonly params: MessageParams;
}

/** The messages of `TYPE_NOT_ALLOWED` for clients that check names themselves. */
export interface RejectionTemplates {
  readonly noExtension: string;
  readonly other: string;
  readonly byExtension: Readonly<Record<string, string>>;
}

const MAX_NAME_CHARACTERS = 100;

const ADVICE = {
  save: {
    en: 'Save or export it as {formats} and upload that.',
    es: 'Guarda o exporta el archivo como {formats} y súbelo de nuevo.',
  },
  saveOrPack: {
    en: 'Save it as {formats}, or pack it into a ZIP.',
    es: 'Guarda el archivo como {formats} o comprímelo en un ZIP.',
  },
  rename: {
    en: 'Rename it so that it ends in {extension}.',
    es: 'Cambia el nombre del archivo para que termine en {extension}.',
  },
  pack: { en: 'Pack the files into a single ZIP.', es: 'Comprime los archivos en un solo ZIP.' },
  heic: {
    en: 'Save it as {formats}, or choose "Most Compatible" in the camera settings of the iPhone.',
    es: 'Guarda la foto como {formats} o elige “Más compatible” en la configuración de la cámara del iPhone.',
  },
  owner: {
    en: 'Choose the document itself: its name does not begin with "~$".',
    es: 'Elige el documento mismo: su nombre no empieza con “~$”.',
  },
  program: {
    en: 'For safety, send a link to it instead.',
    es: 'Por seguridad, envía mejor un enlace.',
  },
  disguised: {
    en: 'Do not open it: it may be harmful.',
    es: 'No lo abras: puede ser dañino.',
  },
} as const satisfies Readonly<Record<Advice | 'disguised', Localised>>;

const SELF_EXTRACTING: Localised = {
  en: 'a program, such as a self-extracting archive',
  es: 'un programa, como un archivo autoextraíble',
};

/** Finds the sentence that is true for a person whose file was rejected. */
export function typeMessage(problem: TypeProblem, filename: string, { allowed }: TypePolicy): TypeMessage {
  const shortName = shorten(filename);
  return problem.code === 'TYPE_NOT_ALLOWED'
    ? notAllowed(problem.details.extension, shortName, allowed)
    : mismatch(problem, shortName, allowed);
}

/** The messages of `TYPE_NOT_ALLOWED`, with `{filename}`, `{extension}` and `{allowed}` left for the client to fill. */
export function rejectionTemplates({ allowed }: TypePolicy, language: Language): RejectionTemplates {
  const open = { filename: '{filename}', extension: '{extension}', allowed: '{allowed}' };
  const template = (extension: string): string => {
    const { message, params } = notAllowed(extension, '', allowed);
    return formatMessage(message, language, { ...params, ...open });
  };
  const byExtension = KNOWN_EXTENSIONS.filter((extension) => !allowed.has(extension));
  return {
    noExtension: template(''),
    other: formatMessage('TYPE_NOT_ALLOWED', language, open),
    byExtension: Object.fromEntries(byExtension.map((extension) => [extension, template(extension)])),
  };
}

function notAllowed(extension: string, filename: string, allowed: ReadonlySet<string>): TypeMessage {
  const params = { filename, extension: `.${extension}`, allowed: listOf([...allowed]) };
  if (extension === '') {
    const [example = ''] = allowed;
    return { message: 'TYPE_NOT_ALLOWED.noExtension', params: { ...params, example: `.${example}` } };
  }
  const kind = kindOfExtension(extension);
  if (kind === null) return { message: 'TYPE_NOT_ALLOWED', params };
  const advice = adviceOn(kind, allowed);
  if (advice === null) return { message: 'TYPE_NOT_ALLOWED.kind', params: { ...params, found: kind.name } };
  const message = kind.advice === 'rename' ? 'TYPE_NOT_ALLOWED.rename' : 'TYPE_NOT_ALLOWED.advice';
  return { message, params: { ...params, found: kind.name, advice } };
}

function mismatch(
  { reason, details }: TypeProblem,
  filename: string,
  allowed: ReadonlySet<string>,
): TypeMessage {
  const { declared, detected, extension } = details;
  const expected = nameOfExtension(extension);
  if (reason === 'declared') {
    const found = kindOfMimeType(declared ?? '')?.name ?? `"${(declared ?? '').trim()}"`;
    return { message: 'TYPE_MISMATCH.declared', params: { declared: found, expected } };
  }
  if (detected === ENCRYPTED_OFFICE) return { message: 'TYPE_MISMATCH.encrypted', params: {} };
  const isOwnerFile = detected === null && filename.startsWith('~$');
  const kind = kindOfMimeType(isOwnerFile ? OWNER_FILE : (detected ?? ''));
  // A compound file of which no more is known is a broken document.
  const isBrokenDoc = extension === 'doc' && kind?.mimeType === 'application/x-cfb';
  if (kind === null || isBrokenDoc || kind === kindOfExtension(extension))
    return { message: 'TYPE_MISMATCH.unknown', params: { expected } };
  const isArchive = extension === 'zip' || extension === 'rar';
  const found = kind.advice === 'program' && isArchive ? SELF_EXTRACTING : kind.name;
  const params = { filename, expected, found };
  const advice = renamingTo(kind, allowed) ?? adviceOnContent(kind, isArchive, allowed);
  return advice === null
    ? { message: 'TYPE_MISMATCH.content', params }
    : { message: 'TYPE_MISMATCH.advice', params: { ...params, advice } };
}

/** A file of an accepted kind only has the wrong name. */
function renamingTo({ mimeType }: Kind, allowed: ReadonlySet<string>): Localised | null {
  const extension = [...allowed].find((name) => fileTypeOfExtension(name)?.contentType === mimeType);
  return extension === undefined ? null : say('rename', { extension: `.${extension}` });
}

/** A program under another name is a trick, or an archive that unpacks itself. */
function adviceOnContent(kind: Kind, isArchive: boolean, allowed: ReadonlySet<string>): Localised | null {
  if (kind.advice !== 'program') return adviceOn(kind, allowed);
  if (!isArchive) return say('disguised');
  return allowed.has('zip') ? say('pack') : null;
}

function adviceOn({ advice, saveAs }: Kind, allowed: ReadonlySet<string>): Localised | null {
  const formats = saveAs.filter((extension) => allowed.has(extension));
  switch (advice) {
    case 'save':
    case 'heic':
    case 'rename':
      return formats.length === 0
        ? null
        : say(advice, { formats: alternatives(formats), extension: `.${formats[0]}` });
    case 'saveOrPack':
      if (!allowed.has('zip'))
        return formats.length === 0 ? null : say('save', { formats: alternatives(formats) });
      return formats.length === 0 ? say('pack') : say('saveOrPack', { formats: alternatives(formats) });
    case 'pack':
      return allowed.has('zip') ? say('pack') : null;
    case null:
      return null;
    default:
      return say(advice);
  }
}

function say(advice: keyof typeof ADVICE, params: MessageParams = {}): Localised {
  return localise((language) => fillPlaceholders(ADVICE[advice], language, params));
}

function nameOfExtension(extension: string): Localised | string {
  return (
    fileTypeOfExtension(extension)?.expected ?? kindOfExtension(extension)?.name ?? extension.toUpperCase()
  );
}

function listOf(extensions: readonly string[]): string {
  return extensions.join(', ').toUpperCase();
}

function alternatives(extensions: readonly string[]): Localised {
  const last = extensions.at(-1) ?? '';
  const list = (or: string) => {
    const text = extensions.length === 1 ? last : `${extensions.slice(0, -1).join(', ')} ${or} ${last}`;
    return text.replace(/[a-z0-9]+/g, (word) => (word === or ? word : word.toUpperCase()));
  };
  return { en: list('or'), es: list('o') };
}

/** The end stays: that is where the extension is. */
function shorten(filename: string): string {
  if (filename.length <= MAX_NAME_CHARACTERS) return filename;
  const ending = extensionOf(filename).length <= 10 ? filename.slice(-12) : '';
  return `${filename.slice(0, MAX_NAME_CHARACTERS - ending.length - 1)}…${ending}`.toWellFormed();
}
