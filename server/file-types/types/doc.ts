import { defineFileType } from '../file-type.ts';
import { cfbMatcher, WORD } from '../formats/cfb-kind.ts';

/** DOC: a compound file whose root holds the stream `WordDocument` ([MS-DOC] section 2.1.1). */
export const doc = defineFileType({
  name: 'doc',
  extensions: ['doc'],
  mimeTypes: [
    WORD,
    'application/vnd.ms-word',
    'application/x-msword',
    'application/doc',
    'application/CDFV2',
    'application/x-ole-storage',
  ],
  family: 'office',
  isDefault: true,
  matcher: cfbMatcher(WORD),
  label: { en: 'an older Word document (DOC)', es: 'un documento de Word antiguo (DOC)' },
  expected: { en: 'a DOC document', es: 'un documento DOC' },
});
