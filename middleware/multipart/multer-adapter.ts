import { isUtf8 } from 'node:buffer';
import type { Writable } from 'node:stream';
import type { Request, RequestHandler, Response } from 'express';
import multer from 'multer';
import { type AppError, appError, toAppError } from '../../server/errors/app-error.ts';
import { badFilename, invalidField, unexpectedFileField } from '../../server/errors/factories.ts';
import { FileStream } from '../../server/uploads/file-stream.ts';
import type { MultipartHandler } from './multipart.ts';
import { type FormLimits, FormParser } from './parser.ts';
import { decodeFilename, type PartHeaders } from './part-headers.ts';

// Multer owns the form: it collects the text fields in `req.body`, hands each file to a storage engine, counts what is
// pending, and calls back when all of it is done. Its parser is busboy.
//
// The bytes are read by our own parser (parser.ts). Busboy accepts forms that are not what they seem: it drops a part
// whose headers it does not understand, ends a file at a line that merely begins with the boundary, and reads some
// parameters differently from other parsers. Filters are bypassed where two parsers read one body differently.
//
// Multer's `streamHandler` option makes that possible. It gets the request, and the busboy that multer has made and listens
// to. `feed` raises busboy's events and leaves its parsing unused.
//
// Two workarounds are needed: `presentAsForm` and `detachBusboy`.

declare module 'multer' {
  interface Options {
    /** Since multer 2.4; not in its types yet. */
    streamHandler?: (req: Request, busboy: Writable) => void;
  }
}

/** What multer reads. */
export interface AdapterOptions {
  /** The only field that files are accepted in. */
  readonly fileField: string;
  /** Text fields that are read; `name[]` and `name[0]` are read as `name` if `name[]` is listed. Others are ignored. */
  readonly fieldNames: ReadonlySet<string>;
  /** Whether a form must have a file. */
  readonly isFileRequired: boolean;
  readonly limits: FormLimits;
}

/** A form that is being read. */
interface Reading {
  readonly handler: MultipartHandler;
  readonly boundary: string;
  /** Multer's parser, once it has made one. */
  busboy?: Writable;
}

/** Where a request keeps its reading. */
const READING = Symbol('reading');

type WithReading = Request & { [READING]?: Reading };

/** Reads the body of `req` with multer; every outcome goes to `handler`. */
export type ReadForm = (req: Request, res: Response, boundary: string, handler: MultipartHandler) => void;

/** Makes the only user of multer. */
export function createMulterAdapter(options: AdapterOptions): ReadForm {
  const middleware: RequestHandler = multer({
    storage: {
      _handleFile(req, file, callback) {
        const stream = file.stream as unknown as PartStream; // as `feed` has raised it
        readingOf(req)
          .handler.receiveFile({
            filename: stream.filename, // multer decodes `filename*` once more
            declaredType: file.mimetype === '' ? null : file.mimetype,
            stream,
            offset: stream.offset,
          })
          .then(
            () => {
              callback(null, {});
              stream.onTaken();
            },
            (error: unknown) => callback(error),
          );
      },
      _removeFile(_req, _file, callback) {
        callback(null);
      },
    },
    // Nested field names build dangerous objects: `__proto__[x]`, `a[4294967294]`.
    limits: { fieldNestingDepth: 0, fieldNameSize: options.limits.maxFieldNameBytes },
    streamHandler(req, busboy) {
      const reading = readingOf(req);
      reading.busboy = busboy;
      feed(req, busboy, reading, options);
    },
  }).array(options.fileField);

  return function readForm(req: WithReading, res, boundary, handler) {
    const reading: Reading = { handler, boundary };
    req[READING] = reading;
    presentAsForm(req, boundary);
    // Once the handler has settled, multer still waits for the end of the body; nothing waits for multer.
    middleware(req, res, (error?: unknown) => {
      // Multer removes its own listeners in the next turn.
      if (reading.busboy !== undefined) setImmediate(detachBusboy, reading.busboy);
      if (error === undefined) handler.onFormEnd();
      else handler.fail(fromMulter(error));
    });
  };
}

function readingOf(req: WithReading): Reading {
  const reading = req[READING];
  if (reading === undefined) throw new TypeError('the request is not being read');
  return reading;
}

/**
 * Workaround 1. Multer and busboy parse the type once more and reject what `parseBoundary` accepts (unquoted characters, a
 * last semicolon). Multer would then skip the body without an error.
 */
function presentAsForm(req: Request, boundary: string): void {
  req.headers['content-type'] = `multipart/form-data; boundary="${boundary}"`;
}

const FORM_ENDED = new Error('the form has ended');
const ignore = (): void => {};

/**
 * Workaround 2. Removes all references from `busboy` to the request. V8 allocates a function in every Writable in the
 * old generation, where dead objects keep what they reference alive until a full collection: otherwise the request, its
 * response and everything they hold stay in memory (docs/performance.md).
 */
function detachBusboy(busboy: Writable): void {
  busboy.removeAllListeners();
  busboy.on('error', ignore);
  busboy.destroy(FORM_ENDED); // with a shared error, so that none is created
}

/** The content of one file part, and what the adapter knows of it. */
class PartStream extends FileStream {
  /** Where the content begins in the body. */
  readonly offset: number;
  /** Decoded, but not cleaned yet. */
  readonly filename: string;
  /** Called when the file has been taken; its last byte comes earlier. */
  readonly onTaken: () => void;

  constructor(offset: number, filename: string, onWanted: () => void, onTaken: () => void) {
    super(onWanted);
    this.offset = offset;
    this.filename = filename;
    this.onTaken = onTaken;
  }
}

/** Parses the body of `req` and raises the events of `busboy`. */
function feed(
  req: Request,
  busboy: Writable,
  { boundary, handler }: Reading,
  { limits, fileField, fieldNames, isFileRequired }: AdapterOptions,
): void {
  let stream: PartStream | null = null;
  const isFromBrowser = req.headers['sec-fetch-site'] !== undefined;
  let hasNewFields = false;
  let isBodyRead = false;
  let hasFile = false;
  let hasFileText = false;

  const parser = new FormParser(boundary, limits, {
    onField({ name, contentType }, value, isTruncated) {
      // Text alone is not a file: FilePond describes each file in a text field of the same name.
      if (name === fileField && (contentType !== null || isTruncated || !isUtf8(value)))
        throw badFilename('missing');
      hasFileText ||= name === fileField && value.length > 0;
      const known = name.endsWith(']') ? name.replace(/\[\d*\]$/, '') : name;
      if (!fieldNames.has(known === name ? name : `${known}[]`)) return;
      // At once: multer would report it at the end of the body.
      if (isTruncated) throw invalidField(known, 'tooLong');
      const text = decodeText(known, value);
      busboy.emit('field', known, text, { nameTruncated: false, valueTruncated: false });
      hasNewFields = true;
    },
    onFile(headers: PartHeaders & { filename: string }, offset) {
      const { name: field, filename, contentType } = headers;
      if (field !== fileField) throw unexpectedFileField(field);
      hasFile = true;
      reportFields();
      const onWanted = (): void => {
        if (stream === opened) resume();
      };
      const opened = new PartStream(offset, decodeFilename(headers, isFromBrowser), onWanted, resume);
      stream = opened;
      busboy.emit('file', field, opened, { filename, encoding: '8bit', mimeType: contentType ?? '' });
    },
    onFileData: (chunk) => stream?.push(chunk) ?? true,
    onFileEnd() {
      const ended = stream;
      stream = null;
      ended?.end();
      // The next part waits until the checks of this file are done.
      return ended === null;
    },
  });

  /** Once for all fields of a chunk, and before a file that they may be about. */
  function reportFields(): void {
    if (hasNewFields) handler.fieldsChanged(req.body as Record<string, unknown>);
    hasNewFields = false;
  }

  /** Runs a step of the parser; an error in it ends the reading. */
  function guarded(step: () => void): void {
    if (handler.signal.aborted) return;
    try {
      step();
    } catch (error) {
      handler.fail(toAppError(error));
    }
  }

  /** The body may end while the parser still waits for a file to be taken. */
  function finishWhenRead(): void {
    if (!isBodyRead || parser.isWaiting) return;
    parser.end();
    // The text was the file: its part only lacks a filename.
    if (isFileRequired && hasFileText && !hasFile) throw badFilename('missing');
    handler.signal.removeEventListener('abort', stop);
    busboy.emit('close');
  }
  const onData = (chunk: Buffer): void =>
    guarded(() => {
      parser.write(chunk);
      reportFields();
      if (parser.isWaiting) req.pause();
    });
  const onEnd = (): void =>
    guarded(() => {
      isBodyRead = true;
      finishWhenRead();
    });
  function resume(): void {
    if (!parser.isWaiting) return;
    guarded(() => {
      parser.resume();
      reportFields();
      if (!parser.isWaiting) req.resume();
      finishWhenRead();
    });
  }
  const stop = (): void => {
    req.off('data', onData);
    req.off('end', onEnd);
    // Multer holds the request until its parser has ended.
    stream?.discard();
    busboy.emit('error', appError('UPSTREAM_ABORTED'));
    req.resume();
  };

  req.on('data', onData);
  req.once('end', onEnd);
  if (handler.signal.aborted) stop();
  else handler.signal.addEventListener('abort', stop);
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decodeText(field: string, value: Buffer): string {
  try {
    return UTF8.decode(value);
  } catch {
    throw invalidField(field, 'text');
  }
}

/** Translates an error of multer's. */
function fromMulter(error: unknown): AppError {
  if (!(error instanceof multer.MulterError)) return toAppError(error);
  const field = error.field ?? '';
  switch (error.code) {
    case 'LIMIT_FIELD_VALUE':
      return invalidField(field, 'tooLong');
    case 'LIMIT_UNEXPECTED_FILE':
      return unexpectedFileField(field);
    default:
      return appError('BAD_MULTIPART', { cause: error });
  }
}
