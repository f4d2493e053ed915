import { defineFileType } from '../file-type.ts';
import { openXmlMatcher, PPTX } from '../formats/open-xml.ts';
import { ZIP_MIME_TYPES } from './zip.ts';

export const pptx = defineFileType({
  name: 'pptx',
  extensions: ['pptx'],
  mimeTypes: [PPTX, 'application/vnd.ms-powerpoint', 'application/vnd.ms-powerpoint.12', ...ZIP_MIME_TYPES],
  family: 'office',
  isDefault: false,
  matcher: openXmlMatcher(PPTX),
  label: { en: 'a PowerPoint presentation (PPTX)', es: 'una presentación de PowerPoint (PPTX)' },
  expected: { en: 'a PPTX presentation', es: 'una presentación PPTX' },
  advice: 'saveOrPack',
  saveAs: ['pdf'],
});
