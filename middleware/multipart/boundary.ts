import { appError } from '../../server/errors/app-error.ts';

/** RFC 2046, section 5.1.1: 1 to 70 of these, and no blank at the end. */
const BOUNDARY = /^[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]$/;
const FORM = /^multipart\/form-data[ \t]*(?=;|$)/i;
/** Name, quoted value, token. */
const PARAMETER = /;[ \t]*([!#$%&'*+.^_`|~0-9A-Za-z-]+)=(?:"([^"\\]*)"|([^\s;"]+))[ \t]*/y;

/** Whether a content type is that of a form. */
export function isForm(contentType: string | undefined): boolean {
  return contentType !== undefined && FORM.test(contentType);
}

/**
 * The boundary of a `multipart/form-data` content type.
 *
 * @throws AppError `NOT_MULTIPART` for another type, and for a boundary that is missing, given twice or not
 *   of its form.
 */
export function parseBoundary(contentType: string | undefined): string {
  const type = FORM.exec(contentType ?? '')?.[0];
  if (contentType === undefined || type === undefined) throw appError('NOT_MULTIPART');
  const boundaries: string[] = [];
  let at = type.length;
  while (at < contentType.length) {
    PARAMETER.lastIndex = at;
    const match = PARAMETER.exec(contentType);
    if (match === null) throw appError('NOT_MULTIPART');
    if (match[1]?.toLowerCase() === 'boundary') boundaries.push(match[2] ?? match[3] ?? '');
    at = PARAMETER.lastIndex;
  }
  const [boundary] = boundaries;
  if (boundary === undefined || boundaries.length > 1 || !BOUNDARY.test(boundary))
    throw appError('NOT_MULTIPART');
  return boundary;
}
