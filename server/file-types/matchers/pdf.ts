import { signatureMatcher } from './matcher.ts';

/**
 * PDF: ISO 32000-2 section 7.5.2, the header is the file's first line. Viewers search the first
 * 1,024 bytes for it, which is what makes a PDF of almost anything; here it stands at 0, without a BOM.
 */
export const pdf = signatureMatcher((head) => head.toString('latin1', 0, 5) === '%PDF-');
