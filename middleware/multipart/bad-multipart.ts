import { type AppError, appError } from '../../server/errors/app-error.ts';

/** The error for a form that can't be read in exactly one way. */
export function badMultipart(reason: string): AppError {
  return appError('BAD_MULTIPART', { params: { reason }, details: { reason } });
}
