import { signatureMatcher } from './matcher.ts';

/**
 * RAR 4 and RAR 5 by their signatures (rarlab.com/technote.htm, "RAR signature"). A self-extracting
 * archive has a program in front of it, which is no RAR here.
 */
export const rar = signatureMatcher((head) =>
  SIGNATURES.some((signature) => head.subarray(0, signature.length).equals(signature)),
);

const SIGNATURES = [Buffer.from('Rar!\x1a\x07\x00', 'latin1'), Buffer.from('Rar!\x1a\x07\x01\x00', 'latin1')];
