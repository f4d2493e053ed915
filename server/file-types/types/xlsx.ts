import { defineFileType } from '../file-type.ts';
import { openXmlMatcher, XLSX } from '../formats/open-xml.ts';
import { ZIP_MIME_TYPES } from './zip.ts';

export const xlsx = defineFileType({
  name: 'xlsx',
  extensions: ['xlsx'],
  mimeTypes: [XLSX, 'application/vnd.ms-excel', 'application/vnd.ms-excel.12', ...ZIP_MIME_TYPES],
  family: 'office',
  isDefault: false,
  matcher: openXmlMatcher(XLSX),
  label: { en: 'an Excel spreadsheet (XLSX)', es: 'una hoja de cálculo de Excel (XLSX)' },
  expected: { en: 'an XLSX spreadsheet', es: 'una hoja de cálculo XLSX' },
  advice: 'saveOrPack',
  saveAs: ['pdf'],
});
