import type { FileTypeName } from './file-types.ts';
import { doc } from './matchers/doc.ts';
import { docx } from './matchers/docx.ts';
import { jpeg } from './matchers/jpeg.ts';
import type { Matcher } from './matchers/matcher.ts';
import { mp3 } from './matchers/mp3.ts';
import { mp4 } from './matchers/mp4.ts';
import { mpeg } from './matchers/mpeg.ts';
import { pdf } from './matchers/pdf.ts';
import { png } from './matchers/png.ts';
import { rar } from './matchers/rar.ts';
import { text } from './matchers/text.ts';
import { vcard } from './matchers/vcard.ts';
import { wav } from './matchers/wav.ts';
import { zip } from './matchers/zip.ts';

export const MATCHERS: Readonly<Record<FileTypeName, Matcher>> = {
  jpg: jpeg,
  png,
  mp4,
  mpeg,
  zip,
  rar,
  pdf,
  doc,
  docx,
  txt: text,
  mp3,
  vcf: vcard,
  wav,
};
