import { defineFileType, signatureMatcher } from '../file-type.ts';

const MAGIC = '#!AMR\n';

/** AMR narrow-band, one channel: RFC 4867 section 5, the magic number and the header of a first frame. */
export const amr = defineFileType({
  name: 'amr',
  extensions: ['amr'],
  mimeTypes: ['audio/amr', 'audio/x-amr', 'audio/amr-nb', 'audio/3gpp'],
  family: 'audio',
  isDefault: false,
  matcher: signatureMatcher((bytes) => {
    const frame = bytes[MAGIC.length];
    if (frame === undefined || bytes.toString('latin1', 0, MAGIC.length) !== MAGIC) return false;
    const type = (frame >> 3) & 15;
    return (frame & 0x83) === 0 && (type <= 8 || type === 15);
  }),
  label: { en: 'an AMR recording', es: 'una grabación AMR' },
  advice: 'save',
  saveAs: ['mp3', 'wav'],
});
