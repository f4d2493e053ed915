/** Common kinds of file: extensions, names, what the user can do, and the extensions to save it as. */
const KINDS: readonly (readonly [
  extensions: string,
  en: string,
  es: string,
  advice: Advice,
  into?: string,
])[] = [
  ['heic heif', 'iPhone photos (HEIC)', 'fotos de iPhone (HEIC)', 'heic', 'jpg'],
  ['jfif jpe', 'JPEG pictures under that name', 'imágenes JPEG con ese nombre', 'rename', 'jpg'],
  ['webp gif avif bmp tif tiff', '{X} pictures', 'imágenes {X}', 'save', 'jpg png'],
  ['svg', 'drawings (SVG)', 'dibujos (SVG)', 'save', 'png pdf'],
  ['mov webm avi mkv 3gp wmv flv m4v', '{X} videos', 'vídeos {X}', 'save', 'mp4'],
  ['m4a ogg opus aac amr flac wma aiff', '{X} recordings', 'grabaciones {X}', 'save', 'mp3'],
  ['xlsx xls ods numbers', 'spreadsheets ({X})', 'hojas de cálculo ({X})', 'save', 'pdf'],
  ['pptx ppt odp', 'presentations ({X})', 'presentaciones ({X})', 'save', 'pdf'],
  ['odt rtf pages docm', '{X} documents', 'documentos {X}', 'save', 'pdf docx'],
  ['html htm mht', 'web pages ({X})', 'páginas web ({X})', 'save', 'pdf'],
  ['csv json xml md log', '{X} files', 'archivos {X}', 'rename', 'txt'],
  ['7z tar gz tgz', '{X} archives', 'archivos {X}', 'pack', 'zip'],
  ['exe msi bat cmd scr apk dmg jar js sh', 'programs ({X})', 'programas ({X})', 'program'],
];

const ADVICE = {
  save: ['Save it as {into}.', 'Guarda el archivo como {into}.'],
  heic: [
    'Save it as {into}, or choose “Most Compatible” in the camera settings of the iPhone.',
    'Guarda la foto como {into} o elige «Más compatible» en los ajustes de cámara del iPhone.',
  ],
  rename: [
    'Rename the file so that it ends in .{first}.',
    'Cambia el nombre del archivo para que termine en .{first}.',
  ],
  pack: ['Pack the files into a ZIP.', 'Comprime los archivos en un ZIP.'],
  program: ['For safety, send a link instead.', 'Por seguridad, envía mejor un enlace.'],
} as const;

type Advice = keyof typeof ADVICE;

/** Says why a file with this extension is not accepted and what to do. `allowed` are the accepted extensions. */
export function typeMessage(extension: string, allowed: readonly string[], isSpanish: boolean): string {
  const pick = (en: string, es: string): string => (isSpanish ? es : en);
  const list = allowed.join(', ').toUpperCase();
  const accepted = pick(`Accepted: ${list}.`, `Se aceptan: ${list}.`);
  if (!extension) {
    const example = allowed[0];
    return `${pick(
      `The file name has no extension such as .${example}: rename the file.`,
      `El nombre del archivo no termina en una extensión como .${example}: cambia el nombre.`,
    )} ${accepted}`;
  }
  const [, en, es, advice = null, into = ''] =
    KINDS.find(([extensions]) => extensions.split(' ').includes(extension)) ?? [];
  const kind = pick(en ?? '.{x} files', es ?? 'archivos .{x}')
    .replace('{X}', extension.toUpperCase())
    .replace('{x}', extension);
  const targets = into.split(' ').filter((one) => allowed.includes(one));
  const rejected = pick(`${kind} are not accepted.`, `No se aceptan ${kind}.`);
  const what = rejected.replace(/^[a-z](?!Phone)/, (letter) => letter.toUpperCase());
  if (!advice || (into && !targets.length)) return `${what} ${accepted}`;
  const [first = ''] = targets;
  const help = ADVICE[advice][isSpanish ? 1 : 0]
    .replace(
      '{into}',
      targets.join(pick(' or ', ' o ')).replace(/\b(?!or?\b)\w+/g, (word) => word.toUpperCase()),
    )
    .replace('{first}', first);
  return `${what} ${help} ${accepted}`;
}
