import { signatureMatcher } from './matcher.ts';

/**
 * PNG (W3C Recommendation, third edition): the signature of section 5.2, then IHDR, which is first and
 * 13 bytes long (5.6, 11.2.1). An animated PNG is a PNG; Apple's CgBI variant begins otherwise and is none.
 */
export const png = signatureMatcher((head) => head.subarray(0, BEGINNING.length).equals(BEGINNING));

const BEGINNING = Buffer.from('\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR', 'latin1');
