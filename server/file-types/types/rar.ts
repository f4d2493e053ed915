import { defineFileType, signatureMatcher } from '../file-type.ts';

const SIGNATURES = [Buffer.from('Rar!\x1a\x07\x00', 'latin1'), Buffer.from('Rar!\x1a\x07\x01\x00', 'latin1')];

/**
 * RAR 4 and RAR 5 by their signatures (rarlab.com/technote.htm, "RAR signature"). A self-extracting
 * archive begins with a program and does not match.
 */
export const rar = defineFileType({
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
  family: 'archive',
  isDefault: true,
  matcher: signatureMatcher((bytes) =>
    SIGNATURES.some((signature) => bytes.subarray(0, signature.length).equals(signature)),
  ),
  label: { en: 'a RAR archive', es: 'un archivo RAR' },
});
