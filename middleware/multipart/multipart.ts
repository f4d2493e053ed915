import type { Writable } from 'node:stream';
import type { Request, RequestHandler, Response } from 'express';
import multer from 'multer';
import { appError } from '../../server/errors/app-error.ts';
import { sendContinue } from '../../server/http/body.ts';
import { parseBoundary } from './boundary.ts';
import { feedMulter } from './feed-multer.ts';
import type { FormLimits } from './form-parser.ts';
import type { FormReceiver } from './form-receiver.ts';
import { fromMulter } from './multer-errors.ts';
import type { PartStream } from './part-stream.ts';

/** What a multipart reader is made with. */
export interface MultipartOptions {
  /** The only field that files are taken in. */
  readonly fileField: string;
  /** Text fields that are read; `name[]` and `name[0]` are read as `name` if `name[]` is listed. Others are ignored. */
  readonly fieldNames: ReadonlySet<string>;
  readonly maxFiles: number;
}

/** Bounds that hold for every form; a reader with many files may have more parts. */
const LIMITS: Omit<FormLimits, 'maxParts'> = {
  maxFields: 20,
  maxFieldNameBytes: 64,
  maxFieldBytes: 8 * 1024,
  maxPartHeadBytes: 8 * 1024,
  maxOverheadBytes: 1024 * 1024,
};

/** Where a request keeps its reading. */
const READING = Symbol('reading');

type WithReading = Request & { [READING]?: Reading };

/** A form that is being read. */
interface Reading {
  readonly receiver: FormReceiver;
  readonly boundary: string;
  /** Multer's parser, once it has made one. */
  busboy?: Writable;
}

/**
 * Reads a form with multer and hands its parts to a receiver while they arrive.
 *
 * Multer owns the form: its fields, its files and when it is done. Two of its hooks are ours. The
 * `streamHandler` reads the body in place of busboy, which overlooks forms that are not what they seem (see
 * form-parser.ts), and raises busboy's events. The storage engine hands each file to the receiver and keeps
 * nothing.
 */
export interface MultipartReader {
  /**
   * The boundary of the request.
   *
   * @throws AppError `NOT_MULTIPART`, `UNSUPPORTED_ENCODING`.
   */
  boundaryOf(req: Request): string;
  /** Reads the body of `req`; every outcome goes to the receiver. */
  read(req: Request, res: Response, boundary: string, receiver: FormReceiver): void;
}

/** Makes a reader of forms. */
export function createMultipartReader(options: MultipartOptions): MultipartReader {
  const limits: FormLimits = { ...LIMITS, maxParts: LIMITS.maxFields + options.maxFiles + 5 };
  const readingOf = (req: WithReading): Reading => {
    const reading = req[READING];
    if (reading === undefined) throw new TypeError('the request is not being read');
    return reading;
  };

  const middleware: RequestHandler = multer({
    storage: {
      _handleFile(req, file, callback) {
        const { receiver } = readingOf(req);
        const stream = file.stream as unknown as PartStream; // as it was raised in busboy's place
        receiver
          .receiveFile({
            filename: stream.filename, // multer decodes `filename*` once more
            declaredType: file.mimetype === '' ? null : file.mimetype,
            stream,
            offset: stream.offset,
          })
          .then(
            () => {
              callback(null, {});
              stream.markTaken();
            },
            (error: unknown) => callback(error),
          );
      },
      _removeFile(_req, _file, callback) {
        callback(null);
      },
    },
    limits: { fieldNestingDepth: 0, fieldNameSize: LIMITS.maxFieldNameBytes },
    streamHandler(req, busboy) {
      const reading = readingOf(req);
      reading.busboy = busboy;
      feedMulter(req, busboy, { ...options, ...reading, limits });
    },
  }).array(options.fileField);

  return {
    boundaryOf(req) {
      const encoding = req.headers['content-encoding'];
      if (encoding !== undefined && encoding.toLowerCase() !== 'identity')
        throw appError('UNSUPPORTED_ENCODING');
      return parseBoundary(req.headers['content-type']);
    },
    read(req: WithReading, res, boundary, receiver) {
      const reading: Reading = { receiver, boundary };
      req[READING] = reading;
      // Multer and busboy parse the type again, and overlook what parseBoundary accepts: unquoted characters, a last
      // semicolon. Multer would then skip the body without a word.
      req.headers['content-type'] = `multipart/form-data; boundary="${boundary}"`;
      sendContinue(req, res);
      // When the outcome is settled, multer still waits for the end of the body; nobody waits for it.
      middleware(req, res, (error?: unknown) => {
        // Multer leaves its own listeners only in the next turn.
        if (reading.busboy !== undefined) setImmediate(release, reading.busboy);
        if (error === undefined) receiver.finish();
        else receiver.fail(fromMulter(error));
      });
    },
  };
}

const OVER = new Error('the form is over');
const ignore = (): void => {};

/**
 * Takes from `busboy`, which is done, all that leads to its request. The constructor of every Writable assigns a
 * function to a property (`state.onwrite`), and V8 makes such functions in the old generation, whose dead keep alive
 * what they refer to until a full collection: without this, that is the request, its response and all they hold.
 */
function release(busboy: Writable): void {
  busboy.removeAllListeners();
  busboy.on('error', ignore);
  busboy.destroy(OVER); // by an error that there is already: it would make one, with its stack
}
