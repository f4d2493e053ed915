import { defineFileType, signatureMatcher } from '../file-type.ts';

/**
 * WAV: RIFF with form type WAVE (Microsoft/IBM "Multimedia Programming Interface and Data
 * Specifications 1.0"). RF64 and BW64 (EBU Tech 3306, for more than 4 GiB) and big-endian RIFX are not RIFF.
 * A length that spells a word, `ftyp` or `moov`, would be 1.6 GB or more, and begins an MP4 or a QuickTime video.
 */
export const wav = defineFileType({
  name: 'wav',
  extensions: ['wav'],
  mimeTypes: [
    'audio/wav',
    'audio/x-wav',
    'audio/wave',
    'audio/vnd.wave',
    'audio/x-pn-wav',
    'audio/x-wave',
    'audio/s-wav',
  ],
  family: 'audio',
  isDefault: true,
  matcher: signatureMatcher((bytes) => /^RIFF(?![a-z]{4}).{4}WAVE/s.test(bytes.toString('latin1', 0, 12))),
  label: { en: 'a WAV recording', es: 'una grabación WAV' },
});
