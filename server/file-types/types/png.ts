import { defineFileType, signatureMatcher } from '../file-type.ts';

const BEGINNING = Buffer.from('\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR', 'latin1');

/**
 * PNG (W3C Recommendation, third edition): the signature of section 5.2, then IHDR, which is first and
 * 13 bytes long (5.6, 11.2.1). An animated PNG is a PNG; Apple's CgBI variant begins otherwise and is not.
 */
export const png = defineFileType({
  name: 'png',
  extensions: ['png'],
  mimeTypes: ['image/png', 'image/x-png', 'image/apng', 'image/x-citrix-png'],
  family: 'image',
  isDefault: true,
  matcher: signatureMatcher((bytes) => bytes.subarray(0, BEGINNING.length).equals(BEGINNING)),
  label: { en: 'a PNG picture', es: 'una imagen PNG' },
});
