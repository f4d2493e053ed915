import { HEAD_BYTES } from './file-types.ts';
import { sniffMarkup } from './markup.ts';
import { isNoText } from './matchers/text.ts';
import { isTextHead } from './text-scanner.ts';

/** file-type's opinion of a head. */
export interface Recognised {
  readonly ext: string;
  readonly mime: string;
}

let fileType: Promise<typeof import('file-type')> | undefined;

/** file-type costs tens of milliseconds to load: the first upload pays, not the start. */
function loadFileType(): Promise<typeof import('file-type')> {
  fileType ??= import('file-type');
  return fileType;
}

export async function recognise(head: Buffer): Promise<Recognised | null> {
  // file-type would inflate a gzip to see whether a tar is inside; that it is a gzip is all there is to know.
  if (head[0] === 0x1f && head[1] === 0x8b) return { ext: 'gz', mime: 'application/gzip' };
  try {
    const { fileTypeFromBuffer } = await loadFileType();
    return (await fileTypeFromBuffer(head.subarray(0, HEAD_BYTES))) ?? null;
  } catch {
    return null; // no bytes may make an upload fail otherwise than by a verdict
  }
}

/** Whether file-type has a kind of this MIME type. */
export async function isKnownToFileType(essence: string): Promise<boolean> {
  const { supportedMimeTypes } = await loadFileType();
  return (supportedMimeTypes as ReadonlySet<string>).has(essence);
}

/** What the content looks like, for the details of a refusal. */
export function describeContent(head: Buffer, recognised: Recognised | null): string | null {
  if (!isTextHead(head) || (recognised && isNoText(head))) {
    return recognised ? toCommonMime(recognised.mime) : null;
  }
  const markup = sniffMarkup(head);
  if (markup) return markup;
  // Letters at the start of a text look like signatures to file-type; what is text in itself stays.
  const isTextKind = recognised && TEXT_KINDS.has(recognised.ext);
  return isTextKind ? recognised.mime : 'text/plain';
}

const TEXT_KINDS: ReadonlySet<string> = new Set(['xml', 'vcf', 'ics', 'vtt']);

function toCommonMime(mime: string): string {
  return mime === 'video/MP1S' || mime === 'video/MP2P' ? 'video/mpeg' : mime;
}
