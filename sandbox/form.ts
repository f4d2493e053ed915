import { readBody } from './body.ts';
import type { StoredFile } from './file-store.ts';
import { createIncomingFile, type IncomingFile } from './incoming-file.ts';
import { createMultipartParser, MultipartError } from './multipart-parser.ts';
import type { RecordedFile } from './records.ts';
import type { RequestContext } from './request-context.ts';

/** One file of a form, with what the store needs to keep it. */
interface FormFile {
  record: RecordedFile;
  stored: StoredFile;
}

/** A multipart form that was read to the end of its body. */
export interface Form {
  fields: Record<string, string[]>;
  files: FormFile[];
  /** Why the body is not a proper form, if it is not. */
  problem: string | null;
}

/** What happens on the way. */
export interface FormHooks {
  /** A text field is complete. */
  field(name: string, value: string): void;
  /** A piece of the body was parsed; `fileBytes` counts all files so far. */
  progress(fileBytes: number): Promise<void>;
}

const MAX_FIELD_BYTES = 1024 * 1024;

/** Adds a value under any name, `__proto__` included, without touching the object's own workings. */
function append(fields: Record<string, string[]>, name: string, value: string): void {
  const values = Object.hasOwn(fields, name) ? fields[name] : undefined;
  if (values !== undefined) values.push(value);
  else Object.defineProperty(fields, name, { value: [value], enumerable: true, configurable: true });
}

/** Reads a form to the end of the body, records it as it arrives, and never throws for a malformed one. */
export async function readForm(context: RequestContext, boundary: string, hooks: FormHooks): Promise<Form> {
  const form: Form = { fields: {}, files: [], problem: null };
  const fieldOrder: string[] = [];
  const recordedFiles: RecordedFile[] = [];
  Object.assign(context.record, { fields: form.fields, fieldOrder, files: recordedFiles });

  let fileBytes = 0;
  let file: IncomingFile | null = null;
  let field: { name: string; pieces: Buffer[]; size: number } | null = null;

  const parser = createMultipartParser(boundary, {
    part(head) {
      fieldOrder.push(head.name);
      if (head.filename === null) {
        field = { name: head.name, pieces: [], size: 0 };
        return;
      }
      file = createIncomingFile(head, !context.settings.discardFiles);
      recordedFiles.push(file.record);
    },
    data(piece) {
      if (file !== null) {
        file.add(piece);
        fileBytes += piece.length;
      } else if (field !== null) {
        field.size += piece.length;
        if (field.size > MAX_FIELD_BYTES) throw new MultipartError('Field value too long');
        field.pieces.push(piece);
      }
    },
    partEnd() {
      if (file !== null) {
        form.files.push({ record: file.record, stored: file.end(true) });
        file = null;
      } else if (field !== null) {
        const value = Buffer.concat(field.pieces).toString();
        append(form.fields, field.name, value);
        hooks.field(field.name, value);
        field = null;
      }
    },
  });

  try {
    for await (const piece of readBody(context)) {
      if (form.problem !== null) continue;
      try {
        parser.write(piece);
      } catch (error) {
        if (!(error instanceof MultipartError)) throw error;
        form.problem = error.message;
      }
      await hooks.progress(fileBytes);
    }
  } finally {
    // TypeScript cannot see that the parser's events assign it.
    (file as IncomingFile | null)?.end(false);
    context.changed();
  }
  if (!parser.closed) form.problem ??= 'Unexpected end of form';
  context.record.complete = parser.closed;
  context.changed();
  return form;
}
