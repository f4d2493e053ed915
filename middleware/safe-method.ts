const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Whether a request by `method` only asks, so that no harm is done when another site made a browser send it.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-9.2.1
 */
export function isSafeMethod(method: string): boolean {
  return SAFE_METHODS.has(method);
}
