import { isUtf8 } from 'node:buffer';
import type { Writable } from 'node:stream';
import type { Request } from 'express';
import { appError, toAppError } from '../../server/errors/app-error.ts';
import { type FormLimits, FormParser } from './form-parser.ts';
import type { FormReceiver } from './form-receiver.ts';
import { fieldTooLong } from './multer-errors.ts';
import type { MultipartOptions } from './multipart.ts';
import { decodeFilename, missingFilename, type PartHead } from './part-headers.ts';
import { PartStream } from './part-stream.ts';

/** What is read, how far, and who gets it. */
export interface Feeding extends Pick<MultipartOptions, 'fileField' | 'fieldNames'> {
  readonly boundary: string;
  readonly limits: FormLimits;
  readonly receiver: FormReceiver;
}

/** Feeds the form to multer by raising the events of `busboy`, multer's parser, whose own parsing is not used. */
export function feedMulter(
  req: Request,
  busboy: Writable,
  { boundary, limits, receiver, fileField, fieldNames }: Feeding,
): void {
  let stream: PartStream | null = null;
  const isFromBrowser = req.headers['sec-fetch-site'] !== undefined;
  let hasNewFields = false;

  const parser = new FormParser(boundary, limits, {
    onField({ name, contentType }, value, isTruncated) {
      // Text alone is no file: FilePond describes each file in a text field of the same name.
      if (name === fileField && (contentType !== null || isTruncated || !isUtf8(value)))
        throw missingFilename();
      const known = name.endsWith(']') ? name.replace(/\[\d*\]$/, '') : name;
      if (!fieldNames.has(known === name ? name : `${known}[]`)) return;
      // At once: multer would tell of it when the whole body has come.
      if (isTruncated) throw fieldTooLong(known);
      const text = decodeText(known, value);
      busboy.emit('field', known, text, { nameTruncated: false, valueTruncated: false });
      hasNewFields = true;
    },
    onFile(head: PartHead & { filename: string }, offset) {
      if (head.name !== fileField) {
        throw appError('UNEXPECTED_FILE_FIELD', {
          params: { field: head.name },
          details: { field: head.name },
        });
      }
      tellFields();
      const opened = new PartStream(offset, decodeFilename(head, isFromBrowser), {
        onWanted: () => {
          if (stream === opened) goOn();
        },
        onTaken: goOn,
      });
      stream = opened;
      const info = { filename: head.filename, encoding: '8bit', mimeType: head.contentType ?? '' };
      busboy.emit('file', head.name, opened, info);
    },
    onFileData: (chunk) => stream?.push(chunk) ?? true,
    onFileEnd() {
      const ended = stream;
      stream = null;
      ended?.end();
      // The next part must not begin before this file was judged to its end.
      return ended === null;
    },
  });

  /** Once for all fields that one chunk brought, and before a file that they say something of. */
  function tellFields(): void {
    if (hasNewFields) receiver.fieldsChanged(req.body as Record<string, unknown>);
    hasNewFields = false;
  }

  /** Runs a step of the parser; its errors, and those of who it calls, end the reading. */
  function guarded(step: () => void): void {
    if (receiver.signal.aborted) return;
    try {
      step();
    } catch (error) {
      receiver.fail(toAppError(error));
    }
  }

  let isBodyRead = false;
  /** Node may tell of the body's end while the parser still waits for a file to be taken. */
  function finishWhenRead(): void {
    if (!isBodyRead || parser.isWaiting) return;
    parser.end();
    receiver.signal.removeEventListener('abort', stop); // multer has its end already
    busboy.emit('close');
  }
  const onData = (chunk: Buffer): void =>
    guarded(() => {
      parser.write(chunk);
      tellFields();
      if (parser.isWaiting) req.pause();
    });
  const onEnd = (): void =>
    guarded(() => {
      isBodyRead = true;
      finishWhenRead();
    });
  function goOn(): void {
    if (!parser.isWaiting) return;
    guarded(() => {
      parser.resume();
      tellFields();
      if (!parser.isWaiting) req.resume();
      finishWhenRead();
    });
  }
  const stop = (): void => {
    req.off('data', onData);
    req.off('end', onEnd);
    // Lets multer finish: it holds the request until its parser has ended.
    stream?.discard();
    busboy.emit('error', appError('UPSTREAM_ABORTED'));
    req.resume();
  };

  req.on('data', onData);
  req.once('end', onEnd);
  if (receiver.signal.aborted) stop();
  else receiver.signal.addEventListener('abort', stop);
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decodeText(field: string, value: Buffer): string {
  try {
    return UTF8.decode(value);
  } catch {
    throw appError('INVALID_FIELD', { message: 'INVALID_FIELD.text', params: { field }, details: { field } });
  }
}
