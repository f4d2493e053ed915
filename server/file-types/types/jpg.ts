import { defineFileType, signatureMatcher } from '../file-type.ts';

/**
 * JPEG: ITU-T T.81, annex B. SOI, then a marker segment that may come first (tables,
 * frame headers, application data, comments) with a length that counts at least itself.
 */
export const jpg = defineFileType({
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
  family: 'image',
  isDefault: true,
  matcher: signatureMatcher(isJpeg),
  label: { en: 'a JPEG picture', es: 'una imagen JPEG' },
});

function isJpeg(bytes: Buffer): boolean {
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8 || bytes[2] !== 0xff) return false;
  let at = 3;
  while (bytes[at] === 0xff) at += 1; // B.1.1.2: any marker may be preceded by fill bytes
  const marker = bytes[at];
  if (marker === undefined || !mayComeFirst(marker) || at + 3 > bytes.length) return false;
  return bytes.readUInt16BE(at + 1) >= 2;
}

function mayComeFirst(marker: number): boolean {
  const isFrameOrHuffman = marker >= 0xc0 && marker <= 0xcf && marker !== 0xc8; // C8 is reserved
  const isTable = marker === 0xdb || marker === 0xdd || marker === 0xde; // DQT, DRI, DHP
  const isApplication = marker >= 0xe0 && marker <= 0xef;
  return isFrameOrHuffman || isTable || isApplication || marker === 0xfe;
}
