import { signatureMatcher } from './matcher.ts';

/**
 * WAV: RIFF with form type WAVE (Microsoft/IBM "Multimedia Programming Interface and Data
 * Specifications 1.0"). RF64 and BW64 (EBU Tech 3306, for more than 4 GiB) and big-endian RIFX are not RIFF.
 */
export const wav = signatureMatcher(
  (head) => head.toString('latin1', 0, 4) === 'RIFF' && head.toString('latin1', 8, 12) === 'WAVE',
);
