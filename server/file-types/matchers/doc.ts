import type { CfbDirectory } from '../cfb-directory.ts';
import { CfbReader } from '../cfb-reader.ts';
import { FILE_TYPES } from '../file-types.ts';
import { differs, FITS, type Finding, type Matcher, type StructureInspector } from './matcher.ts';

/**
 * DOC: a compound file ([MS-CFB]) whose root holds the stream `WordDocument` ([MS-DOC] section 2.1.1). The header says
 * where the directory is; it usually lies behind the head, so the head refuses only what it can tell.
 */
export const doc: Matcher = {
  judgeHead(head, complete) {
    const reader = new CfbReader();
    reader.update(head);
    if (!reader.header) return differs();
    const other = otherKind(reader);
    if (other) return differs(other);
    if (complete) {
      const finding = judge(reader);
      return finding.fits ? FITS : finding;
    }
    return { fits: true, inspector: createDocInspector() };
  },
  contradictedBy: null,
};

/** What Office writes instead of a DOCX, XLSX or PPTX that has a password. */
export const ENCRYPTED_OFFICE = 'application/vnd.openxmlformats-officedocument.encrypted';
const CFB = 'application/x-cfb';
const EXCEL = 'application/vnd.ms-excel';
const POWERPOINT = 'application/vnd.ms-powerpoint';
const INSTALLER = 'application/x-msi';
const OUTLOOK = 'application/vnd.ms-outlook';
const VISIO = 'application/vnd.visio';

/** Word 97 to 2003, 6.0 and 95, and its later class for the same files. */
const WORD_CLASSES: ReadonlySet<string> = new Set([
  '00020906-0000-0000-c000-000000000046',
  '00020900-0000-0000-c000-000000000046',
  '00020907-0000-0000-c000-000000000046',
  'f4754c9b-64f5-4b40-8af4-679732ac0607',
]);

const OTHER_CLASSES: ReadonlyMap<string, string> = new Map([
  ['00020810-0000-0000-c000-000000000046', EXCEL],
  ['00020820-0000-0000-c000-000000000046', EXCEL],
  ['64818d10-4f9b-11cf-86ea-00aa00b929e8', POWERPOINT],
  ['000c1084-0000-0000-c000-000000000046', INSTALLER],
  ['000c1086-0000-0000-c000-000000000046', INSTALLER],
  ['00020d0b-0000-0000-c000-000000000046', OUTLOOK],
  ['00021a13-0000-0000-c000-000000000046', VISIO],
  ['00021a14-0000-0000-c000-000000000046', VISIO],
]);

const OTHER_STREAMS: ReadonlyMap<string, string> = new Map([
  ['WORKBOOK', EXCEL],
  ['BOOK', EXCEL],
  ['POWERPOINT DOCUMENT', POWERPOINT],
  ['PP40', POWERPOINT],
  ['__PROPERTIES_VERSION1.0', OUTLOOK],
  ['VISIODOCUMENT', VISIO],
  ['ENCRYPTEDPACKAGE', ENCRYPTED_OFFICE],
  ['QUILL', 'application/x-mspublisher'],
]);

/** What a compound file holds, as far as its beginning shows it; null where that is not to be seen. */
export function kindOfCfb(head: Buffer): string | null {
  const reader = new CfbReader();
  reader.update(head);
  const isDoc = isWord(reader.readDirectory()) || beginsWithWord(reader.afterHeader);
  return otherKind(reader) ?? (isDoc ? FILE_TYPES.doc.mimeTypes[0] : null);
}

function otherKind(reader: CfbReader): string | null {
  const directory = reader.readDirectory();
  const byClass = directory.rootClass && OTHER_CLASSES.get(directory.rootClass);
  if (byClass) return byClass;
  for (const name of directory.rootNames) {
    const byName = OTHER_STREAMS.get(name) ?? (isInstallerName(name) ? INSTALLER : undefined);
    if (byName) return byName;
  }
  return !isWord(directory) && beginsWithWorkbook(reader.afterHeader) ? EXCEL : null;
}

/** A long directory may have been seen in part only: then the class or the first stream has to speak. */
function judge(reader: CfbReader): Finding {
  const other = otherKind(reader);
  if (other) return differs(other);
  const directory = reader.readDirectory();
  const isWholeFile = directory.hasRoot;
  return isWholeFile && (isWord(directory) || beginsWithWord(reader.afterHeader)) ? FITS : differs(CFB);
}

function isWord({ rootClass, rootNames }: CfbDirectory): boolean {
  return rootNames.has('WORDDOCUMENT') || (rootClass !== null && WORD_CLASSES.has(rootClass));
}

/** [MS-DOC] section 2.5.2: wIdent, A5EC since Word 97 and A5DC before. */
function beginsWithWord(bytes: readonly number[]): boolean {
  return (bytes[0] === 0xec || bytes[0] === 0xdc) && bytes[1] === 0xa5;
}

/** [MS-XLS] section 2.4.21: a BOF record (0x0809) of 8 or 16 bytes for BIFF5 or BIFF8. */
function beginsWithWorkbook(bytes: readonly number[]): boolean {
  const isBof =
    bytes[0] === 0x09 && bytes[1] === 0x08 && (bytes[2] === 8 || bytes[2] === 16) && bytes[3] === 0;
  return isBof && bytes[4] === 0 && (bytes[5] === 5 || bytes[5] === 6);
}

/** Windows Installer packs two characters of a table's name into one of U+3800 to U+4840. */
function isInstallerName(name: string): boolean {
  return /^[\u3800-\u4840]+$/.test(name);
}

function createDocInspector(): StructureInspector {
  const reader = new CfbReader();
  return {
    update: (chunk) => reader.update(chunk),
    finish: () => (reader.header ? judge(reader) : differs()),
  };
}
