import { appError } from '../../server/errors/app-error.ts';

/** RFC 2046, section 5.1.1: 1 to 70 of these, and no blank at the end. */
const BOUNDARY = /^[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]$/;
const FORM = /^multipart\/form-data[ \t]*(?=;|$)/i;
const PARAMETER =
  /;[ \t]*(?<name>[!#$%&'*+.^_`|~0-9A-Za-z-]+)=(?:"(?<quoted>[^"\\]*)"|(?<token>[^\s;"]+))[ \t]*/y;

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
    const groups = PARAMETER.exec(contentType)?.groups;
    if (groups === undefined) throw appError('NOT_MULTIPART');
    if (groups['name']?.toLowerCase() === 'boundary')
      boundaries.push(groups['quoted'] ?? groups['token'] ?? '');
    at = PARAMETER.lastIndex;
  }
  const [boundary] = boundaries;
  if (boundary === undefined || boundaries.length > 1 || !BOUNDARY.test(boundary))
    throw appError('NOT_MULTIPART');
  return boundary;
}
