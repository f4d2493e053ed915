import { MATCH, type Match, type Matcher, mismatch } from '../file-type.ts';
import { type CfbDirectory, CfbReader } from './cfb.ts';

/** What Office writes instead of a DOCX, XLSX or PPTX that has a password. */
export const ENCRYPTED_OFFICE = 'application/vnd.openxmlformats-officedocument.encrypted';
export const WORD = 'application/msword';
export const EXCEL = 'application/vnd.ms-excel';
export const POWERPOINT = 'application/vnd.ms-powerpoint';
const CFB = 'application/x-cfb';
const INSTALLER = 'application/x-msi';
const OUTLOOK = 'application/vnd.ms-outlook';
const VISIO = 'application/vnd.visio';

/** Classes of the root storage. */
const CLASSES: ReadonlyMap<string, string> = new Map([
  // Word 97 to 2003, 6.0 and 95, and its later class for the same files
  ['00020906-0000-0000-c000-000000000046', WORD],
  ['00020900-0000-0000-c000-000000000046', WORD],
  ['00020907-0000-0000-c000-000000000046', WORD],
  ['f4754c9b-64f5-4b40-8af4-679732ac0607', WORD],
  ['00020810-0000-0000-c000-000000000046', EXCEL],
  ['00020820-0000-0000-c000-000000000046', EXCEL],
  ['64818d10-4f9b-11cf-86ea-00aa00b929e8', POWERPOINT],
  ['000c1084-0000-0000-c000-000000000046', INSTALLER],
  ['000c1086-0000-0000-c000-000000000046', INSTALLER],
  ['00020d0b-0000-0000-c000-000000000046', OUTLOOK],
  ['00021a13-0000-0000-c000-000000000046', VISIO],
  ['00021a14-0000-0000-c000-000000000046', VISIO],
]);

/** Streams and storages directly in the root. */
const STREAMS: ReadonlyMap<string, string> = new Map([
  ['WORDDOCUMENT', WORD],
  ['WORKBOOK', EXCEL],
  ['BOOK', EXCEL],
  ['POWERPOINT DOCUMENT', POWERPOINT],
  ['PP40', POWERPOINT],
  ['__PROPERTIES_VERSION1.0', OUTLOOK],
  ['VISIODOCUMENT', VISIO],
  ['ENCRYPTEDPACKAGE', ENCRYPTED_OFFICE],
  ['QUILL', 'application/x-mspublisher'],
]);

/**
 * A compound file ([MS-CFB]) of one Office program. Its header says where the directory is, which usually follows the
 * leading bytes, so those rule out only what they show.
 */
export function cfbMatcher(own: string): Matcher {
  return {
    match(bytes, isWhole) {
      const reader = new CfbReader();
      reader.update(bytes);
      if (!reader.header) return mismatch();
      const other = otherKind(reader, own);
      if (other) return mismatch(other);
      if (!isWhole) return { matches: true, structure: createCfbCheck(own) };
      const match = checkDirectory(reader, own);
      return match.matches ? MATCH : match;
    },
    contradictedBy: null,
  };
}

/** What a compound file holds, as far as its beginning shows it; null if it does not. */
export function kindOfCfb(bytes: Buffer): string | null {
  const reader = new CfbReader();
  reader.update(bytes);
  return otherKind(reader, WORD) ?? (isOfKind(reader, WORD) ? WORD : null);
}

/** The first sign of another kind: by class, by the names in the root, then by the first stream. */
function otherKind(reader: CfbReader, own: string): string | null {
  const directory = reader.readDirectory();
  const byClass = kindOfClass(directory);
  if (byClass !== null && byClass !== own) return byClass;
  for (const name of directory.rootNames) {
    const byName = STREAMS.get(name) ?? (isInstallerName(name) ? INSTALLER : null);
    if (byName !== null && byName !== own) return byName;
  }
  if (directoryNames(directory, own)) return null;
  const byStart = kindOfFirstStream(reader.afterHeader);
  return byStart === own ? null : byStart;
}

/** A long directory may have been seen in part only: then the class or the first stream has to show the kind. */
function checkDirectory(reader: CfbReader, own: string): Match {
  const other = otherKind(reader, own);
  if (other) return mismatch(other);
  return reader.readDirectory().hasRoot && isOfKind(reader, own) ? MATCH : mismatch(CFB);
}

function isOfKind(reader: CfbReader, own: string): boolean {
  return directoryNames(reader.readDirectory(), own) || kindOfFirstStream(reader.afterHeader) === own;
}

function directoryNames(directory: CfbDirectory, own: string): boolean {
  return kindOfClass(directory) === own || [...directory.rootNames].some((name) => STREAMS.get(name) === own);
}

function kindOfClass({ rootClass }: CfbDirectory): string | null {
  return (rootClass !== null && CLASSES.get(rootClass)) || null;
}

/** By the first bytes after the header, where many writers put the main stream. */
function kindOfFirstStream(bytes: readonly number[]): string | null {
  // [MS-DOC] section 2.5.2: wIdent, A5EC since Word 97 and A5DC before
  if ((bytes[0] === 0xec || bytes[0] === 0xdc) && bytes[1] === 0xa5) return WORD;
  // [MS-XLS] section 2.4.21: a BOF record (0x0809) of 8 or 16 bytes for BIFF5 or BIFF8
  const isBof =
    bytes[0] === 0x09 && bytes[1] === 0x08 && (bytes[2] === 8 || bytes[2] === 16) && bytes[3] === 0;
  return isBof && bytes[4] === 0 && (bytes[5] === 5 || bytes[5] === 6) ? EXCEL : null;
}

/** Windows Installer packs two characters of a table's name into one of U+3800 to U+4840. */
function isInstallerName(name: string): boolean {
  return /^[\u3800-\u4840]+$/.test(name);
}

function createCfbCheck(own: string) {
  const reader = new CfbReader();
  return {
    update: (chunk: Buffer) => reader.update(chunk),
    finish: () => (reader.header ? checkDirectory(reader, own) : mismatch()),
  };
}
