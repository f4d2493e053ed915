import { defineFileType, signatureMatcher } from '../file-type.ts';

/** GIF87a and GIF89a: a header and a screen that is not empty, then an extension, an image or the end. */
export const gif = defineFileType({
  name: 'gif',
  extensions: ['gif'],
  mimeTypes: ['image/gif', 'image/x-gif'],
  family: 'image',
  isDefault: false,
  matcher: signatureMatcher(isGif),
  label: { en: 'a GIF picture', es: 'una imagen GIF' },
  advice: 'save',
  saveAs: ['png', 'mp4'],
});

const BLOCKS: ReadonlySet<number | undefined> = new Set([0x21, 0x2c, 0x3b]);

function isGif(bytes: Buffer): boolean {
  if (bytes.length < 14 || !/^GIF8[79]a$/.test(bytes.toString('latin1', 0, 6))) return false;
  if (bytes.readUInt16LE(6) === 0 || bytes.readUInt16LE(8) === 0) return false;
  const flags = bytes.readUInt8(10);
  const colourBytes = (flags & 0x80) === 0 ? 0 : 3 * 2 ** ((flags & 7) + 1);
  return BLOCKS.has(bytes[13 + colourBytes]);
}
