import { defineFileType } from '../file-type.ts';
import { cfbMatcher, EXCEL } from '../formats/cfb-kind.ts';

/** XLS: a compound file whose root holds the stream `Workbook`, or `Book` before Excel 97 ([MS-XLS] section 2.1.2). */
export const xls = defineFileType({
  name: 'xls',
  extensions: ['xls'],
  mimeTypes: [
    EXCEL,
    'application/msexcel',
    'application/x-msexcel',
    'application/x-excel',
    'application/excel',
    'application/xls',
    'application/CDFV2',
    'application/x-ole-storage',
  ],
  family: 'office',
  isDefault: false,
  matcher: cfbMatcher(EXCEL),
  label: { en: 'an Excel spreadsheet (XLS)', es: 'una hoja de cálculo de Excel (XLS)' },
  expected: { en: 'an XLS spreadsheet', es: 'una hoja de cálculo XLS' },
  advice: 'saveOrPack',
  saveAs: ['pdf'],
});
