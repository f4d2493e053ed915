import { type AppError, appError } from '../errors/app-error.ts';

/** The error for a request without a valid proof of identity (RFC 6750, section 3). */
export function unauthenticated(cause?: unknown): AppError {
  return appError('UNAUTHENTICATED', { headers: { 'WWW-Authenticate': 'Bearer' }, cause });
}
