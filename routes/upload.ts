import type { Request, Response, Router } from 'express';
import { logLateOutcome } from '../middleware/access-log.ts';
import { clientOf } from '../middleware/authenticate.ts';
import { createMethodNotAllowed } from '../middleware/error-handler.ts';
import type { AddPrefix, ReadPrefix } from '../middleware/forwarded.ts';
import { closingLength } from '../middleware/multipart/boundary.ts';
import { createMultipartReader } from '../middleware/multipart/multipart.ts';
import { createUploadSlot } from '../middleware/upload-slot.ts';
import type { AppContext } from '../server/context.ts';
import { toDelivery } from '../server/delivery/assess.ts';
import { toAppError } from '../server/errors/app-error.ts';
import { duplicateField, invalidField } from '../server/errors/factories.ts';
import { languageOf, sendError } from '../server/errors/response.ts';
import { contentLengthOf } from '../server/http/body.ts';
import { logFieldsOf } from '../server/http/log-fields.ts';
import { mayRunOn } from '../server/http/pipelining.ts';
import { addRequestWork, canRespond, onResponseEnd } from '../server/http/response-end.ts';
import { FILE_FIELD, UPLOAD_FIELD_NAMES } from '../server/uploads/fields.ts';
import { MODES, type RequestedMode } from '../server/uploads/mode.ts';
import { Upload, type UploadResponse } from '../server/uploads/upload.ts';

/** `POST /messages/upload`: sends files to Leadway, in one of three modes. */
export function addUpload(
  router: Router,
  context: Pick<AppContext, 'uploads' | 'slots' | 'idempotency' | 'logger'>,
  readPrefix: ReadPrefix,
): void {
  const { uploads, idempotency } = context;
  const reader = createMultipartReader({
    fileField: FILE_FIELD,
    fieldNames: UPLOAD_FIELD_NAMES,
    isFileRequired: true,
    maxFiles: uploads.maxFiles,
  });

  const receiveUpload = (req: Request, res: Response): void => {
    const boundary = reader.boundaryOf(req);
    const { query } = req; // every access parses it
    const options = {
      client: clientOf(req),
      mode: parseMode(query['mode']),
      locationId: parseLocation(query['locationId']),
      contentLength: contentLengthOf(req),
      closingBytes: closingLength(boundary),
      idempotent: idempotency.requestOf(req, clientOf(req).id, 'upload'),
    };
    const addPrefix = readPrefix(req);
    const upload = new Upload(uploads, options, logFieldsOf(req));
    addRequestWork(res, upload.ended());
    onResponseEnd(res, () => {
      // Most responses end because the upload has settled; they need no error and its stack.
      if (upload.signal.aborted) return;
      upload.onResponseEnd(mayRunOn(req.socket, options.idempotent !== null));
      if (!upload.signal.aborted) logLateOutcome(context, req, upload.response);
    });
    upload.response
      .then((response) => send(req, res, response, addPrefix))
      .catch((error) => sendError(req, res, toAppError(error)));
    reader.read(req, res, boundary, upload);
  };
  router
    .route('/messages/upload')
    .post(createUploadSlot(context), receiveUpload)
    .all(createMethodNotAllowed('POST'));
}

function send(req: Request, res: Response, response: UploadResponse, addPrefix: AddPrefix): void {
  if (!canRespond(res)) return;
  const delivery = toDelivery(response.delivery, languageOf(req));
  if (response.mode === 'direct') res.status(202).json({ ...addPrefix(response), delivery });
  else res.json({ ...response, delivery });
}

function parseMode(value: unknown): RequestedMode {
  if (value === undefined || value === '') return 'auto';
  const mode = MODES.find((known) => known === value);
  if (mode === undefined) throw invalidField('mode', 'oneOf', { expected: MODES.join(', ') });
  return mode;
}

/** Its form is checked with the fields. */
function parseLocation(value: unknown): string | null {
  if (value === undefined || value === '') return null;
  if (typeof value === 'string') return value;
  throw duplicateField('locationId');
}
