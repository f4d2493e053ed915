/** Enough for every signature that is looked at; the same number as file-type's own sample. */
export const HEAD_BYTES = 4100;

interface FileTypeRow {
  readonly name: string;
  readonly extensions: readonly string[];
  /** What may be declared; the first is the canonical one, which is sent upstream. */
  readonly mimeTypes: readonly [string, ...string[]];
  readonly label: string;
}

const ZIP_MIME_TYPES = [
  'application/zip',
  'application/x-zip-compressed',
  'application/x-zip',
  'application/zip-compressed',
  'application/x-compressed',
  'application/x-compress',
  'multipart/x-zip',
] as const;

/** The contract's table, in its order (design, section 5). */
export const FILE_TYPES = {
  jpg: {
    name: 'jpg',
    extensions: ['jpg', 'jpeg'],
    mimeTypes: [
      'image/jpeg',
      'image/jpg',
      'image/pjpeg',
      'image/jfif',
      'image/pipeg',
      'image/x-jpeg',
      'image/x-citrix-jpeg',
      'image/x-citrix-pjpeg',
    ],
    label: 'JPEG image',
  },
  png: {
    name: 'png',
    extensions: ['png'],
    mimeTypes: ['image/png', 'image/x-png', 'image/apng', 'image/x-citrix-png'],
    label: 'PNG image',
  },
  mp4: {
    name: 'mp4',
    extensions: ['mp4'],
    mimeTypes: ['video/mp4', 'application/mp4', 'video/x-m4v', 'video/mpeg4'],
    label: 'MP4 video',
  },
  mpeg: {
    name: 'mpeg',
    extensions: ['mpeg', 'mpg'],
    mimeTypes: ['video/mpeg', 'video/mpg', 'video/x-mpeg', 'video/x-mpg', 'video/x-mpeg2'],
    label: 'MPEG video',
  },
  zip: { name: 'zip', extensions: ['zip'], mimeTypes: ZIP_MIME_TYPES, label: 'ZIP archive' },
  rar: {
    name: 'rar',
    extensions: ['rar'],
    mimeTypes: [
      'application/vnd.rar',
      'application/x-rar-compressed',
      'application/x-rar',
      'application/rar',
      'application/x-rar-archive',
      'application/x-compressed',
    ],
    label: 'RAR archive',
  },
  pdf: {
    name: 'pdf',
    extensions: ['pdf'],
    mimeTypes: ['application/pdf', 'application/x-pdf', 'application/acrobat', 'text/pdf'],
    label: 'PDF document',
  },
  doc: {
    name: 'doc',
    extensions: ['doc'],
    mimeTypes: [
      'application/msword',
      'application/vnd.ms-word',
      'application/x-msword',
      'application/doc',
      'application/CDFV2',
      'application/x-ole-storage',
    ],
    label: 'Word 97-2003 document',
  },
  docx: {
    name: 'docx',
    extensions: ['docx'],
    mimeTypes: [
      'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
      'application/msword',
      'application/vnd.ms-word.document.12',
      ...ZIP_MIME_TYPES,
    ],
    label: 'Word document',
  },
  txt: {
    name: 'txt',
    extensions: ['txt'],
    /** And every other kind of `text/`: see `declared-type.ts`. */
    mimeTypes: ['text/plain', 'application/txt'],
    label: 'Plain text',
  },
  mp3: {
    name: 'mp3',
    extensions: ['mp3'],
    mimeTypes: [
      'audio/mpeg',
      'audio/mp3',
      'audio/mpeg3',
      'audio/mpg',
      'audio/x-mp3',
      'audio/x-mpeg',
      'audio/x-mpeg-3',
      'audio/x-mpegaudio',
    ],
    label: 'MP3 audio',
  },
  vcf: {
    name: 'vcf',
    extensions: ['vcf'],
    mimeTypes: ['text/vcard', 'text/x-vcard', 'text/directory', 'application/vcard', 'application/x-vcard'],
    label: 'vCard contact',
  },
  wav: {
    name: 'wav',
    extensions: ['wav'],
    mimeTypes: [
      'audio/wav',
      'audio/x-wav',
      'audio/wave',
      'audio/vnd.wave',
      'audio/x-pn-wav',
      'audio/x-wave',
      'audio/s-wav',
    ],
    label: 'WAV audio',
  },
} as const satisfies Readonly<Record<string, FileTypeRow>>;

export type FileTypeName = keyof typeof FILE_TYPES;

export interface FileType {
  readonly name: FileTypeName;
  readonly extensions: readonly string[];
  readonly mimeTypes: readonly string[];
  /** The canonical MIME type, the only one that is ever sent upstream. */
  readonly contentType: string;
  /** For people. */
  readonly label: string;
}

const TYPES_BY_EXTENSION: ReadonlyMap<string, FileType> = new Map(
  Object.values(FILE_TYPES).flatMap((row) => {
    const type: FileType = Object.freeze({ ...row, contentType: row.mimeTypes[0] });
    return row.extensions.map((extension): [string, FileType] => [extension, type]);
  }),
);

export const ALL_EXTENSIONS: readonly string[] = [...TYPES_BY_EXTENSION.keys()];

/** Leadway takes vCards, but does not say so: they are for those who ask. */
export const DEFAULT_ALLOWED: readonly string[] = ALL_EXTENSIONS.filter((extension) => extension !== 'vcf');

export function fileTypeOfExtension(ext: string): FileType | undefined {
  return TYPES_BY_EXTENSION.get(ext.toLowerCase());
}
