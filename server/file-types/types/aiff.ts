import { defineFileType, signatureMatcher } from '../file-type.ts';

/** AIFF 1.3 and AIFF-C: an IFF form of that type, whose first chunk may be any. */
export const aiff = defineFileType({
  name: 'aiff',
  extensions: ['aiff', 'aif'],
  mimeTypes: ['audio/aiff', 'audio/x-aiff', 'sound/aiff', 'audio/x-pn-aiff'],
  family: 'audio',
  isDefault: false,
  matcher: signatureMatcher((bytes) =>
    /^FORM(?![a-z]{4}).{4}AIF[FC][ -~]{4}/s.test(bytes.toString('latin1', 0, 16)),
  ),
  label: { en: 'an AIFF recording', es: 'una grabación AIFF' },
  advice: 'save',
  saveAs: ['mp3', 'wav'],
});
