import type { Request, Response } from 'express';
import type { AppError } from '../../server/errors/app-error.ts';
import { assertNoEncoding, sendContinue } from '../../server/http/body.ts';
import type { RawFields } from '../../server/uploads/fields.ts';
import type { FilePart } from '../../server/uploads/upload.ts';
import { parseBoundary } from './boundary.ts';
import { type AdapterOptions, createMulterAdapter } from './multer-adapter.ts';
import type { FormLimits } from './parser.ts';

/** What a multipart reader is made with. */
export interface MultipartOptions extends Omit<AdapterOptions, 'limits'> {
  readonly maxFiles: number;
}

/** Takes the parts of a form as they arrive. Implemented by `Upload`, among others. */
export interface MultipartHandler {
  /** Aborted once the outcome is settled: nothing more is wanted then. */
  readonly signal: AbortSignal;
  /** `raw` has all fields that have arrived. */
  fieldsChanged(raw: RawFields): void;
  /** Takes one file and reads its stream to the end; settles when the next part may come. */
  receiveFile(part: FilePart): Promise<void>;
  /** The form is whole. */
  onFormEnd(): void;
  fail(error: AppError): void;
}

/** Bounds of every form; a reader with many files may have more parts. */
const LIMITS: Omit<FormLimits, 'maxParts'> = {
  maxFields: 20,
  maxFieldNameBytes: 64,
  maxFieldBytes: 8 * 1024,
  maxPartHeaderBytes: 8 * 1024,
  maxOverheadBytes: 1024 * 1024,
};

/** Reads forms and hands their parts to a handler while they arrive. */
export interface MultipartReader {
  /**
   * The boundary of the request.
   *
   * @throws AppError `NOT_MULTIPART`, `UNSUPPORTED_ENCODING`.
   */
  boundaryOf(req: Request): string;
  /** Reads the body of `req`; every outcome goes to `handler`. */
  read(req: Request, res: Response, boundary: string, handler: MultipartHandler): void;
}

export function createMultipartReader({ maxFiles, ...options }: MultipartOptions): MultipartReader {
  const limits: FormLimits = { ...LIMITS, maxParts: LIMITS.maxFields + maxFiles + 5 };
  const readForm = createMulterAdapter({ ...options, limits });
  return {
    boundaryOf(req) {
      assertNoEncoding(req);
      return parseBoundary(req.headers['content-type']);
    },
    read(req, res, boundary, handler) {
      sendContinue(req, res);
      readForm(req, res, boundary, handler);
    },
  };
}
