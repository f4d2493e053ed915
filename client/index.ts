export type { ErrorDetails, UploadErrorCode } from './error-codes.ts';
export type * from './types.ts';
export { UploadError } from './upload-error.ts';
export { createUploader } from './uploader.ts';
