import { type AppError, appError } from '../errors/app-error.ts';

const CHALLENGE = 'Bearer realm="leadway-bff"';

/**
 * The error for a request without a valid proof of identity, with the challenge that every 401 carries
 * (RFC 9110, section 15.5.2; RFC 6750, section 3).
 *
 * @param isRefused A proof was given and does not hold. Why is for the log alone: it would help who forges.
 */
export function unauthenticated(isRejected = false, cause?: unknown): AppError {
  const challenge = isRejected ? `${CHALLENGE}, error="invalid_token"` : CHALLENGE;
  return appError('UNAUTHENTICATED', { headers: { 'WWW-Authenticate': challenge }, cause });
}
