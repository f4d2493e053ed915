import { appError } from '../../server/errors/app-error.ts';
import { notMultipart } from '../../server/errors/factories.ts';

/** RFC 2046, section 5.1.1: 1 to 70 of these characters, and no space at the end. */
const BOUNDARY = /^[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]$/;
const FORM = /^multipart\/form-data[ \t]*(?=;|$)/i;
/** Name, quoted value, token. The token may have any character of a boundary: many clients don't quote it. */
const PARAMETER = /;[ \t]*([!#$%&'*+.^_`|~0-9A-Za-z-]+)=(?:"([^"\\]*)"|([^\s;"]+))[ \t]*/y;
const LAST_SEMICOLON = /;[ \t]*$/y;

/** Whether a content type is that of a form. */
export function isForm(contentType: string | undefined): boolean {
  return contentType !== undefined && FORM.test(contentType);
}

/**
 * The boundary of a `multipart/form-data` content type.
 *
 * @throws AppError `NOT_MULTIPART` for another type, and for a boundary that is missing or malformed, and for two different ones.
 */
export function parseBoundary(contentType: string | undefined): string {
  const type = FORM.exec(contentType ?? '')?.[0];
  if (contentType === undefined || type === undefined) throw appError('NOT_MULTIPART');
  let boundary: string | null = null;
  let at = type.length;
  while (at < contentType.length) {
    PARAMETER.lastIndex = at;
    const match = PARAMETER.exec(contentType);
    if (match === null) {
      LAST_SEMICOLON.lastIndex = at;
      if (LAST_SEMICOLON.test(contentType)) break;
      throw notMultipart('boundary');
    }
    // Some parsers take `boundary*` (RFC 2231) for the boundary, so it counts as one.
    if (/^boundary(?:$|\*)/i.test(match[1] ?? '')) {
      const value = match[2] ?? match[3] ?? '';
      if (boundary !== null && boundary !== value) throw notMultipart('twoBoundaries');
      boundary = value;
      if (match[1]?.includes('*') || !BOUNDARY.test(boundary)) throw notMultipart('boundary');
    }
    at = PARAMETER.lastIndex;
  }
  if (boundary === null) throw appError('NOT_MULTIPART');
  return boundary;
}

/** Bytes between the content of the last part and the end of a usual form: CRLF, closing delimiter, CRLF. */
export function closingLength(boundary: string): number {
  return Buffer.byteLength(`\r\n--${boundary}--\r\n`);
}
