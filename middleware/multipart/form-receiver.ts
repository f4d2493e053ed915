import type { AppError } from '../../server/errors/app-error.ts';
import type { RawFields } from '../../server/uploads/fields.ts';
import type { FilePart } from '../../server/uploads/upload.ts';

/** Takes the parts of a form as they arrive. Implemented by `Upload`, among others. */
export interface FormReceiver {
  /** Aborted once the outcome is settled: nothing more is wanted then. */
  readonly signal: AbortSignal;
  /** `raw` has all fields that have come so far. */
  fieldsChanged(raw: RawFields): void;
  /** Takes one file and reads its stream to the end; settles when the next part may come. */
  receiveFile(part: FilePart): Promise<void>;
  /** The form is complete. */
  finish(): void;
  fail(error: AppError): void;
}
