import { defineFileType } from '../file-type.ts';
import { cfbMatcher, POWERPOINT } from '../formats/cfb-kind.ts';

/** PPT: a compound file whose root holds the stream `PowerPoint Document` ([MS-PPT] section 2.1.1). */
export const ppt = defineFileType({
  name: 'ppt',
  extensions: ['ppt'],
  mimeTypes: [
    POWERPOINT,
    'application/mspowerpoint',
    'application/powerpoint',
    'application/x-mspowerpoint',
    'application/CDFV2',
    'application/x-ole-storage',
  ],
  family: 'office',
  isDefault: false,
  matcher: cfbMatcher(POWERPOINT),
  label: { en: 'a PowerPoint presentation (PPT)', es: 'una presentación de PowerPoint (PPT)' },
  expected: { en: 'a PPT presentation', es: 'una presentación PPT' },
  advice: 'saveOrPack',
  saveAs: ['pdf'],
});
