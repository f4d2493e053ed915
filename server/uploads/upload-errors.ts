import { type AppError, appError } from '../errors/app-error.ts';

/** The error for more files than a request may have. */
export function tooManyFiles(max: number): AppError {
  return appError('TOO_MANY_FILES', { params: { max }, details: { max } });
}

/** The error for content of another size than was declared, in bytes. */
export function sizeMismatch(declared: number, received: number): AppError {
  return appError('SIZE_MISMATCH', { details: { declared, received } });
}

/** The error for a field that came after the file it is needed for. */
export function fieldOrder(field: string): AppError {
  return appError('FIELD_ORDER', { params: { field }, details: { field } });
}
