import type { Localised } from '../errors/messages.ts';
import type { Advice } from './file-type.ts';
import { FILE_TYPES, type FileType } from './file-types.ts';

/** A kind of file that people know, accepted or not. */
export interface Kind {
  readonly mimeType: string;
  /** With its article, to follow "it looks like". */
  readonly name: Localised;
  readonly advice: Advice | null;
  /** Extensions of kinds that it can be saved as. */
  readonly saveAs: readonly string[];
}

type Row = readonly [
  mimeTypes: string,
  extensions: string,
  en: string,
  es: string,
  advice?: Advice,
  saveAs?: string,
];

const OPENXML = 'application/vnd.openxmlformats-officedocument';
const AS_PICTURE = ['save', 'jpg png'] as const;
const AS_VIDEO = ['save', 'mp4'] as const;
const AS_AUDIO = ['save', 'mp3 wav'] as const;
const AS_DOCUMENT = ['save', 'pdf docx'] as const;
const AS_PDF = ['saveOrPack', 'pdf'] as const;
const AS_TEXT = ['rename', 'txt'] as const;

/**
 * Kinds that this server can't take. MIME types and extensions are separated by spaces; the first MIME type is the one
 * reported for the extensions.
 */
const OTHER_KINDS: readonly Row[] = [
  ['image/jpeg', 'jfif jpe jif', 'a JPEG picture', 'una imagen JPEG', 'rename', 'jpg'],
  ['audio/wav', 'wave', 'a WAV recording', 'una grabación WAV', 'rename', 'wav'],
  // Pictures
  ['image/webp', 'webp', 'a WEBP picture', 'una imagen WEBP', ...AS_PICTURE],
  ['image/avif', 'avif', 'an AVIF picture', 'una imagen AVIF', ...AS_PICTURE],
  ['image/bmp', 'bmp dib', 'a BMP picture', 'una imagen BMP', ...AS_PICTURE],
  ['image/tiff', 'tif tiff', 'a TIFF picture', 'una imagen TIFF', 'save', 'jpg png pdf'],
  ['image/svg+xml', 'svg svgz', 'a drawing (SVG)', 'un dibujo (SVG)', 'save', 'png pdf'],
  ['image/x-icon image/vnd.microsoft.icon', 'ico', 'an icon (ICO)', 'un ícono (ICO)', 'save', 'png'],
  ['image/jp2 image/jpx image/jpm', 'jp2 jpx', 'a JPEG 2000 picture', 'una imagen JPEG 2000', ...AS_PICTURE],
  ['image/jxl', 'jxl', 'a JPEG XL picture', 'una imagen JPEG XL', ...AS_PICTURE],
  ['image/vnd.adobe.photoshop', 'psd', 'a Photoshop file', 'un archivo de Photoshop', ...AS_PICTURE],
  [
    'image/x-adobe-dng image/x-canon-cr2 image/x-canon-cr3 image/x-nikon-nef image/x-sony-arw image/x-fujifilm-raf',
    'dng cr2 cr3 nef arw raf',
    'a raw camera photo',
    'una foto RAW de cámara',
    ...AS_PICTURE,
  ],
  ['image/heic', 'heif hif heics', 'an iPhone photo (HEIC)', 'una foto de iPhone (HEIC)', 'heic', 'jpg'],
  // Video
  ['video/3gpp2', '3g2', 'a 3G2 video', 'un video 3G2', ...AS_VIDEO],
  ['video/quicktime', 'mov qt', 'a QuickTime video (MOV)', 'un video de QuickTime (MOV)', ...AS_VIDEO],
  ['video/webm', 'webm', 'a WEBM video', 'un video WEBM', ...AS_VIDEO],
  ['video/matroska video/x-matroska', 'mkv', 'an MKV video', 'un video MKV', ...AS_VIDEO],
  ['video/vnd.avi video/x-msvideo', 'avi', 'an AVI video', 'un video AVI', ...AS_VIDEO],
  ['video/x-m4v', 'm4v', 'an M4V video', 'un video M4V', 'rename', 'mp4'],
  [
    'video/x-ms-asf video/x-ms-wmv application/vnd.ms-asf',
    'wmv asf',
    'a Windows Media video',
    'un video de Windows Media',
    ...AS_VIDEO,
  ],
  ['video/x-flv', 'flv', 'a Flash video (FLV)', 'un video Flash (FLV)', ...AS_VIDEO],
  ['video/mp2t', 'mts m2ts', 'a TS video', 'un video TS', ...AS_VIDEO],
  ['video/ogg', 'ogv', 'an OGG video', 'un video OGG', ...AS_VIDEO],
  // Sound
  ['audio/mp4', 'm4b', 'an M4A recording', 'una grabación M4A', ...AS_AUDIO],
  ['audio/ogg', 'oga opus', 'an OGG recording', 'una grabación OGG', ...AS_AUDIO],
  ['audio/aiff', 'aifc', 'an AIFF recording', 'una grabación AIFF', ...AS_AUDIO],
  ['audio/amr-wb', 'awb', 'an AMR recording', 'una grabación AMR', ...AS_AUDIO],
  ['audio/flac', 'flac', 'a FLAC recording', 'una grabación FLAC', ...AS_AUDIO],
  [
    'audio/x-ms-asf audio/x-ms-wma',
    'wma',
    'a Windows Media recording',
    'una grabación de Windows Media',
    ...AS_AUDIO,
  ],
  ['audio/mp2 audio/mp1', 'mp2', 'an MP2 recording', 'una grabación MP2', ...AS_AUDIO],
  ['audio/midi', 'mid midi', 'a MIDI file', 'un archivo MIDI', ...AS_AUDIO],
  ['audio/x-caf', 'caf', 'a CAF recording', 'una grabación CAF', ...AS_AUDIO],
  ['audio/x-rf64', 'rf64', 'an RF64 recording', 'una grabación RF64', ...AS_AUDIO],
  ['audio/x-rifx', '', 'a RIFX recording', 'una grabación RIFX', ...AS_AUDIO],
  // Documents
  [
    `application/vnd.ms-excel.sheet.macroenabled.12 application/vnd.ms-excel.sheet.binary.macroenabled.12 ${OPENXML}.spreadsheetml.template`,
    'xlsm xlsb xltx',
    'an Excel spreadsheet with macros, or a template',
    'una hoja de cálculo de Excel con macros o una plantilla',
    ...AS_PDF,
  ],
  [
    `application/vnd.ms-powerpoint.presentation.macroenabled.12 ${OPENXML}.presentationml.slideshow ${OPENXML}.presentationml.template`,
    'pptm pps ppsx potx',
    'a PowerPoint presentation with macros, a slide show or a template',
    'una presentación de PowerPoint con macros, o una plantilla',
    ...AS_PDF,
  ],
  [
    'application/vnd.ms-word.document.macroenabled.12',
    'docm',
    'a Word document with macros',
    'un documento de Word con macros',
    ...AS_DOCUMENT,
  ],
  [
    `${OPENXML}.wordprocessingml.template application/vnd.ms-word.template.macroenabled.12`,
    'dotx dotm',
    'a Word template',
    'una plantilla de Word',
    ...AS_DOCUMENT,
  ],
  ['application/rtf text/rtf', 'rtf', 'an RTF document', 'un documento RTF', ...AS_DOCUMENT],
  [
    'application/vnd.ms-wordml',
    '',
    'a Word document saved as XML',
    'un documento de Word guardado como XML',
    ...AS_DOCUMENT,
  ],
  [
    'application/x-mimearchive',
    'mht mhtml',
    'a saved web page (MHT)',
    'una página web guardada (MHT)',
    ...AS_DOCUMENT,
  ],
  [
    'text/html application/xhtml+xml',
    'html htm xhtml',
    'a web page (HTML)',
    'una página web (HTML)',
    'save',
    'pdf',
  ],
  [
    'application/vnd.oasis.opendocument.spreadsheet',
    'ods',
    'an OpenDocument spreadsheet',
    'una hoja de cálculo de OpenDocument',
    ...AS_PDF,
  ],
  [
    'application/vnd.oasis.opendocument.presentation',
    'odp',
    'an OpenDocument presentation',
    'una presentación de OpenDocument',
    ...AS_PDF,
  ],
  ['application/vnd.apple.pages', 'pages', 'a Pages document', 'un documento de Pages', ...AS_DOCUMENT],
  ['application/vnd.apple.numbers', 'numbers', 'a Numbers spreadsheet', 'una hoja de Numbers', ...AS_PDF],
  ['application/vnd.apple.keynote', '', 'a Keynote presentation', 'una presentación de Keynote', ...AS_PDF],
  [
    'application/postscript application/eps',
    'ps eps',
    'a PostScript file',
    'un archivo PostScript',
    'save',
    'pdf',
  ],
  ['application/epub+zip', 'epub', 'an e-book (EPUB)', 'un libro electrónico (EPUB)', 'save', 'pdf'],
  ['application/vnd.visio', 'vsd vsdx', 'a Visio drawing', 'un dibujo de Visio', ...AS_PDF],
  ['application/x-mspublisher', '', 'a Publisher document', 'un documento de Publisher', ...AS_PDF],
  ['application/vnd.ms-outlook message/rfc822', 'msg eml', 'a saved e-mail', 'un correo guardado', ...AS_PDF],
  [
    'application/x-cfb',
    '',
    'an older Office document, or one protected with a password',
    'un documento de Office antiguo o protegido con contraseña',
  ],
  [
    'application/x-office-owner-file',
    '',
    'a temporary file that Office keeps while a document is open',
    'un archivo temporal que Office crea mientras un documento está abierto',
    'owner',
  ],
  ['text/plain', 'log text', 'a text file', 'un archivo de texto', ...AS_TEXT],
  ['application/json', 'json', 'a data file (JSON)', 'un archivo de datos (JSON)', ...AS_TEXT],
  ['application/xml text/xml', 'xml', 'an XML file', 'un archivo XML', ...AS_TEXT],
  ['text/markdown', 'md', 'a text file (Markdown)', 'un archivo de texto (Markdown)', ...AS_TEXT],
  ['text/csv', 'tsv', 'a table (CSV)', 'una tabla (CSV)', ...AS_TEXT],
  // Archives
  ['application/x-7z-compressed', '7z', 'a 7z archive', 'un archivo 7z', 'pack'],
  ['application/x-tar', 'tar', 'a TAR archive', 'un archivo TAR', 'pack'],
  ['application/gzip', 'gz tgz', 'a GZ archive', 'un archivo GZ', 'pack'],
  ['application/x-bzip2', 'bz2', 'a BZ2 archive', 'un archivo BZ2', 'pack'],
  ['application/x-xz', 'xz', 'an XZ archive', 'un archivo XZ', 'pack'],
  [
    'application/x-zip-split',
    'z01 z02',
    'a part of a split ZIP archive',
    'una parte de un archivo ZIP dividido',
    'pack',
  ],
  // Programs
  [
    'application/x-msdownload application/x-msdos-program application/vnd.microsoft.portable-executable',
    'exe scr dll',
    'a Windows program',
    'un programa de Windows',
    'program',
  ],
  ['application/x-msi', 'msi', 'a Windows installer', 'un instalador de Windows', 'program'],
  ['application/x-mach-binary', '', 'a Mac program', 'un programa de Mac', 'program'],
  ['application/x-apple-diskimage', 'dmg pkg', 'a Mac installer', 'un instalador de Mac', 'program'],
  ['application/x-elf', '', 'a Linux program', 'un programa de Linux', 'program'],
  [
    'application/vnd.android.package-archive',
    'apk',
    'an Android app',
    'una aplicación de Android',
    'program',
  ],
  [
    'application/java-archive application/java-vm',
    'jar class',
    'a Java program',
    'un programa de Java',
    'program',
  ],
  [
    'application/javascript text/javascript application/x-javascript',
    'js mjs',
    'a script (JavaScript)',
    'un script (JavaScript)',
    'program',
  ],
  ['application/x-sh application/x-shellscript', 'sh', 'a script', 'un script', 'program'],
  ['application/x-bat', 'bat cmd ps1 vbs', 'a Windows script', 'un script de Windows', 'program'],
];

const BY_MIME_TYPE = new Map<string, Kind>();
const BY_EXTENSION = new Map<string, Kind>();

function addKind(kind: Kind, mimeTypes: readonly string[], extensions: readonly string[]): void {
  for (const name of mimeTypes) if (!BY_MIME_TYPE.has(name)) BY_MIME_TYPE.set(name, kind);
  for (const extension of extensions) if (!BY_EXTENSION.has(extension)) BY_EXTENSION.set(extension, kind);
}

const TYPES: readonly FileType[] = Object.values(FILE_TYPES);
for (const { contentType, extensions, label, advice = null, saveAs = [] } of TYPES) {
  addKind({ mimeType: contentType, name: label, advice, saveAs }, [essenceOf(contentType)], extensions);
}
// Rows share names (CSV and XLS are both declared as Excel's type): each one's own comes first.
for (const { contentType, mimeTypes } of TYPES) {
  const kind = BY_MIME_TYPE.get(essenceOf(contentType));
  if (kind) addKind(kind, mimeTypes.map(essenceOf), []);
}
for (const [mimeTypes, extensions, en, es, advice = null, saveAs = ''] of OTHER_KINDS) {
  const names = mimeTypes.toLowerCase().split(' ');
  const kind: Kind = { mimeType: names[0] ?? '', name: { en, es }, advice, saveAs: saveAs.split(' ') };
  addKind(kind, names, extensions.split(' ').filter(Boolean));
}

export const KNOWN_EXTENSIONS: readonly string[] = [...BY_EXTENSION.keys()];

/** A MIME type without its parameters, in lower case: what WHATWG's MIME Sniffing calls its essence. */
export function essenceOf(mimeType: string): string {
  return (mimeType.split(';', 1)[0] ?? '').trim().toLowerCase();
}

/** The kind of a MIME type, with or without parameters. */
export function kindOfMimeType(mimeType: string): Kind | null {
  return BY_MIME_TYPE.get(essenceOf(mimeType)) ?? null;
}

export function kindOfExtension(extension: string): Kind | null {
  return BY_EXTENSION.get(extension) ?? null;
}
