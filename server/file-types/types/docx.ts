import { defineFileType } from '../file-type.ts';
import { DOCX, openXmlMatcher } from '../formats/open-xml.ts';
import { ZIP_MIME_TYPES } from './zip.ts';

export const docx = defineFileType({
  name: 'docx',
  extensions: ['docx'],
  mimeTypes: [DOCX, 'application/msword', 'application/vnd.ms-word.document.12', ...ZIP_MIME_TYPES],
  family: 'office',
  isDefault: true,
  matcher: openXmlMatcher(DOCX),
  label: { en: 'a Word document (DOCX)', es: 'un documento de Word (DOCX)' },
  expected: { en: 'a DOCX document', es: 'un documento DOCX' },
});
