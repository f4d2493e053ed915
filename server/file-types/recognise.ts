import { fileTypeFromBuffer, supportedMimeTypes } from 'file-type';
import { HEAD_BYTES } from './file-types.ts';
import { sniffMarkup } from './markup.ts';
import { kindOfCfb } from './matchers/doc.ts';
import { isPdfHead } from './matchers/pdf.ts';
import { isNoText } from './matchers/text.ts';
import { isTextHead } from './text-scanner.ts';

/** file-type's opinion of a head. */
export interface Recognised {
  readonly ext: string;
  readonly mime: string;
}

/** Kinds that no registry has a name for. */
export const OWNER_FILE = 'application/x-office-owner-file';
export const SPLIT_ZIP = 'application/x-zip-split';
const LARGE_WAVE = 'audio/x-rf64';
const BIG_ENDIAN_WAVE = 'audio/x-rifx';
const WEB_ARCHIVE = 'application/x-mimearchive';
const WORD_XML = 'application/vnd.ms-wordml';

export async function recognise(head: Buffer): Promise<Recognised | null> {
  const own = recogniseOurselves(head);
  if (own) return own;
  try {
    const recognised = await fileTypeFromBuffer(head.subarray(0, HEAD_BYTES));
    return recognised ?? (isPdfHead(head) ? PDF_BEHIND_WHITE_SPACE : null);
  } catch {
    return null; // no bytes may make an upload fail otherwise than by a verdict
  }
}

const PDF_BEHIND_WHITE_SPACE: Recognised = { ext: 'pdf', mime: 'application/pdf' };
/** APPNOTE.TXT section 8.5.3: of archives split into several files, and of those that were to be. */
const SPLIT_BEGINNINGS: ReadonlySet<string> = new Set(['PK\x07\x08PK\x03\x04', 'PK00PK\x03\x04']);

/** What file-type does not know, or would look at longer than it is worth. */
function recogniseOurselves(head: Buffer): Recognised | null {
  // file-type would inflate a gzip to see whether a tar is inside; that it is a gzip is all there is to know.
  if (head[0] === 0x1f && head[1] === 0x8b) return { ext: 'gz', mime: 'application/gzip' };
  const start = head.toString('latin1', 0, 12);
  if (/^(?:RF64|BW64).{4}WAVE/s.test(start)) return { ext: 'rf64', mime: LARGE_WAVE };
  if (/^RIFX.{4}WAVE/s.test(start)) return { ext: 'rifx', mime: BIG_ENDIAN_WAVE };
  if (SPLIT_BEGINNINGS.has(start.slice(0, 8))) return { ext: 'z01', mime: SPLIT_ZIP };
  if (isOwnerFile(head)) return { ext: 'owner', mime: OWNER_FILE };
  return null;
}

/** `~$name.docx`, which Office keeps beside an open document: a length, the user's name and padding. */
function isOwnerFile(head: Buffer): boolean {
  const [nameBytes = 0] = head;
  const isOfSize = head.length === 162 || head.length === 165;
  const name = head.subarray(1, 1 + nameBytes);
  return isOfSize && nameBytes > 0 && nameBytes <= 53 && name.every((byte) => byte >= 0x20);
}

/** Whether file-type has a kind of this MIME type. */
export function isKnownToFileType(essence: string): boolean {
  return (supportedMimeTypes as ReadonlySet<string>).has(essence);
}

/** What the content looks like, for the details of a rejection. */
export function describeContent(head: Buffer, recognised: Recognised | null): string | null {
  if (recognised?.ext === 'cfb') return kindOfCfb(head) ?? recognised.mime;
  if (!isTextHead(head) || (recognised && isNoText(head))) {
    return recognised ? toCommonMime(recognised.mime) : null;
  }
  const markup = sniffMarkup(head);
  if (markup) return markup;
  // Letters at the start of a text look like signatures to file-type; what is text in itself stays.
  const isTextKind = recognised && TEXT_KINDS.has(recognised.ext);
  return wordProcessingText(head) ?? (isTextKind ? recognised.mime : 'text/plain');
}

/** What programs save under `.doc` that is text inside. */
function wordProcessingText(head: Buffer): string | null {
  const start = head.toString('latin1', 0, HEAD_BYTES);
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
