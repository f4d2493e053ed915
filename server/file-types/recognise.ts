import { fileTypeFromBuffer, supportedMimeTypes } from 'file-type';
import { LEADING_BYTES, type Recognised } from './file-type.ts';
import { kindOfCfb } from './formats/cfb-kind.ts';
import { sniffMarkup } from './formats/markup.ts';
import { beginsWithText, looksLikeOtherFormat } from './formats/text.ts';
import { SPLIT_ZIP } from './formats/zip-directory.ts';
import { beginsWithPdf } from './types/pdf.ts';

/** Kinds that no registry has a name for. */
export const OWNER_FILE = 'application/x-office-owner-file';
const LARGE_WAVE = 'audio/x-rf64';
const BIG_ENDIAN_WAVE = 'audio/x-rifx';
const WEB_ARCHIVE = 'application/x-mimearchive';
const WORD_XML = 'application/vnd.ms-wordml';

export async function recognise(bytes: Buffer): Promise<Recognised | null> {
  const own = recogniseOurselves(bytes);
  if (own) return own;
  try {
    const recognised = await fileTypeFromBuffer(bytes.subarray(0, LEADING_BYTES));
    return recognised ?? (beginsWithPdf(bytes) ? PDF_BEHIND_WHITE_SPACE : null);
  } catch {
    return null; // bytes may fail validation, never throw
  }
}

const PDF_BEHIND_WHITE_SPACE: Recognised = { ext: 'pdf', mime: 'application/pdf' };
/** APPNOTE.TXT section 8.5.3: of archives split into several files, and of those that were to be. */
const SPLIT_BEGINNINGS: ReadonlySet<string> = new Set(['PK\x07\x08PK\x03\x04', 'PK00PK\x03\x04']);

/** What file-type does not know, or would look at longer than it is worth. */
function recogniseOurselves(bytes: Buffer): Recognised | null {
  // file-type would inflate a gzip to see whether a tar is inside; that it is a gzip is all there is to know.
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return { ext: 'gz', mime: 'application/gzip' };
  const start = bytes.toString('latin1', 0, 12);
  if (/^(?:RF64|BW64).{4}WAVE/s.test(start)) return { ext: 'rf64', mime: LARGE_WAVE };
  if (/^RIFX.{4}WAVE/s.test(start)) return { ext: 'rifx', mime: BIG_ENDIAN_WAVE };
  if (SPLIT_BEGINNINGS.has(start.slice(0, 8))) return { ext: 'z01', mime: SPLIT_ZIP };
  if (isOwnerFile(bytes)) return { ext: 'owner', mime: OWNER_FILE };
  return null;
}

/** `~$name.docx`, which Office keeps beside an open document: a length, the user's name and padding. */
function isOwnerFile(bytes: Buffer): boolean {
  const [nameBytes = 0] = bytes;
  const isOfSize = bytes.length === 162 || bytes.length === 165;
  const name = bytes.subarray(1, 1 + nameBytes);
  return isOfSize && nameBytes > 0 && nameBytes <= 53 && name.every((byte) => byte >= 0x20);
}

/** Whether file-type has a kind of this MIME type. */
export function isKnownToFileType(essence: string): boolean {
  return (supportedMimeTypes as ReadonlySet<string>).has(essence);
}

/** What the content looks like, for the details of a rejection. */
export function describeContent(bytes: Buffer, recognised: Recognised | null): string | null {
  if (recognised?.ext === 'cfb') return kindOfCfb(bytes) ?? recognised.mime;
  if (!beginsWithText(bytes) || (recognised && looksLikeOtherFormat(bytes))) {
    return recognised ? toCommonMime(recognised.mime) : null;
  }
  const markup = sniffMarkup(bytes);
  if (markup) return markup;
  // Letters at the start of a text look like signatures to file-type; what is text in itself stays.
  const isTextKind = recognised && TEXT_KINDS.has(recognised.ext);
  return wordProcessingText(bytes) ?? (isTextKind ? recognised.mime : 'text/plain');
}

/** What programs save under `.doc` that is text inside. */
function wordProcessingText(bytes: Buffer): string | null {
  const start = bytes.toString('latin1', 0, LEADING_BYTES);
  if (
    /<\?mso-application\s+progid="Word\.Document"|schemas\.microsoft\.com\/office\/word\/2003\/wordml/.test(
      start,
    )
  )
    return WORD_XML;
  const isMime = /^MIME-Version:/im.test(start) && /^Content-Type:\s*multipart\/related/im.test(start);
  return isMime ? WEB_ARCHIVE : null;
}

const TEXT_KINDS: ReadonlySet<string> = new Set(['xml', 'vcf', 'ics', 'vtt']);

function toCommonMime(mime: string): string {
  return mime === 'video/MP1S' || mime === 'video/MP2P' ? 'video/mpeg' : mime;
}
