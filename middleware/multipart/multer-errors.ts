import multer from 'multer';
import { type AppError, appError, toAppError } from '../../server/errors/app-error.ts';

/** The error for a field whose value is longer than fields may be. */
export function fieldTooLong(field: string): AppError {
  return appError('INVALID_FIELD', {
    message: 'INVALID_FIELD.tooLong',
    params: { field },
    details: { field },
  });
}

/** `error`, as multer's middleware handed it on, in our words. */
export function fromMulter(error: unknown): AppError {
  if (!(error instanceof multer.MulterError)) return toAppError(error);
  const field = error.field ?? '';
  switch (error.code) {
    case 'LIMIT_FIELD_VALUE':
      return fieldTooLong(field);
    case 'LIMIT_UNEXPECTED_FILE':
      return appError('UNEXPECTED_FILE_FIELD', { params: { field }, details: { field } });
    default:
      return appError('BAD_MULTIPART', { cause: error });
  }
}
